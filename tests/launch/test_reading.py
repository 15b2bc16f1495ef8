from hostkit.launch.reading import denied_lines, safe


def test_what_an_agent_wrote_cannot_move_the_cursor_or_forge_a_line():
    assert safe("a\x1b[2Jb\x00\u202e") == "a\\x1b[2Jb\\x00\\x202e"
    assert safe("x" * 3000).endswith(" [cut]")


class Engine:
    def fetch(self, container, path):
        denied = b'{"event": "denied", "name": "evil.example", "port": 443, "rule": "not-listed"}\n'
        return denied * 2 + b'not json\n{"event": "intent", "name": "ok.example", "port": 443}\n'


class Session:
    engine = Engine()


def test_denials_are_counted_by_name_and_each_has_the_line_that_would_allow_it():
    lines = denied_lines(Session(), "acme", suggest=True)
    assert lines[0].split() == ["2", "evil.example:443", "not-listed"]
    assert "allow with: - {name: evil.example}" in lines[1]
    assert len(lines) == 2
