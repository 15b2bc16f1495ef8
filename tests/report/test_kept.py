"""What would be cut, in words."""

from hostkit.bootstrap.cut import Cut
from hostkit.report.kept import cut_list


def test_where_nothing_would_be_cut_one_line_says_so():
    assert cut_list(()) == ["nothing that talks now would be cut by the fence"]


def test_each_is_a_line_with_account_program_place_and_far_ends():
    cuts = (
        Cut("backup", "backup.service", "restic", ("tcp to 203.0.113.9:443",)),
        Cut("uid 4711", "", "", tuple(f"udp to [::{n}]:9" for n in range(8))),
        Cut("root", "", "a\x1b[2Jb", ("tcp to 203.0.113.9:443",)),
    )
    assert cut_list(cuts) == [
        "the fence would cut, now or when it connects again:",
        "  backup (restic, backup.service): tcp to 203.0.113.9:443",
        f"  uid 4711 (by an unknown program): {', '.join(f'udp to [::{n}]:9' for n in range(6))} and 2 more",
        "  root (a\\x1b[2Jb): tcp to 203.0.113.9:443",
    ]
