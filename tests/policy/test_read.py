from hostkit.policy.read import read


def test_words_numbers_and_quotes_stay_what_they_are():
    plain = read("a: no\nb: 010\nc: '7'\nd: 7\ne: true\nf: 1.5\ng: 2027-01-01\nh:\n").plain
    assert plain == {"a": "no", "b": 10, "c": "7", "d": 7, "e": True, "f": 1.5, "g": "2027-01-01", "h": None}


def test_each_path_has_its_line():
    reading = read("a:\n  - b: 1\n    c: 2\n")
    assert reading.line(("a", 0, "c")) == 3
    assert reading.line(("a", 0, "missing")) == 2
