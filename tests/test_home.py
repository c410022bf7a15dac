import subprocess
import sys

import pytest

from ingest.errors import HomeBusy
from ingest.home import Home, OwnerLock

HOLD = """
import sys
from pathlib import Path
from ingest.home import Home, OwnerLock
with OwnerLock(Home(Path(sys.argv[1]))).acquire():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").prepare()


def test_a_second_process_is_refused_with_the_owners_pid(home):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout.readline() == "held\n"

        with pytest.raises(HomeBusy, match=rf"pid {owner.pid}") as refused:
            OwnerLock(home).acquire()

        owner.communicate("")
    assert refused.value.pid == owner.pid


def test_the_lock_of_a_killed_owner_is_free(home):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        owner.stdout.readline()
        owner.kill()

    OwnerLock(home).acquire().release()


def test_only_its_user_may_look_into_a_home(home):
    assert home.folder.stat().st_mode & 0o077 == 0
