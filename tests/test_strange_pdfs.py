"""Files stranger than any that was met: each ends in the state it should, in words, and the program goes on."""

import pytest
import strange_pdfs

from benchmarks.fuzz_round import Application

SAID = {
    "forms that draw the next twice": "more than 500 MB of memory",
    "one page a hundred thousand times": "100,000 pages; the limit is 50,000",
    "rights of an unknown kind": "is protected by a method that no reader here knows",
    "a bomb": "more than 500 MB of memory",
    "an archive that holds it": "seems to be a zip archive",
    "pages in a circle": "1 of 2 pages (2) could not be read.",
    "half a stream": "has no text on its one page",
}


@pytest.mark.slow
def test_each_ends_in_its_state_and_says_why(tmp_path):
    application = Application(tmp_path, seconds=30, memory_mb=500)
    files = strange_pdfs.made()
    assert len({file for file, _ in files.values()}) == len(files)

    ends = {name: application.take(file, f"{name}.pdf") for name, (file, _) in files.items()}

    assert {name: wrong for name, (_, wrong) in ends.items() if wrong} == {}
    assert {name: job.state for name, (job, _) in ends.items()} == {name: state for name, (_, state) in files.items()}
    assert {name: ends[name][0].reason for name, words in SAID.items() if words not in ends[name][0].reason} == {}
    assert application.damage() == ""
    application.close()
