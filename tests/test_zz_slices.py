import hashlib
import os
import random
import time
from collections import Counter

from tests.conftest import *
from tests.connectors.test_mutations import check, damaged, health

S = int(os.environ["SLICE"])


def test_slice(new_home, tmp_path, fast):
    part, lo = S // 8, (S % 8) * 313
    ends = Counter()
    faults = Counter()
    longest = 0
    home = new_home()
    b = time.process_time()
    for number in range(lo, min(lo + 313, 2500)):
        chance = random.Random(int(hashlib.sha256(f"{part} {number}".encode()).hexdigest()[:12], 16))
        name, content = damaged(chance)
        if number % 25 == 24:
            assert health(home).faults == []
            home = new_home()
        path = tmp_path / name
        path.write_bytes(content)
        t = time.process_time()
        found, wrong = check(path, home)
        longest = max(longest, time.process_time() - t)
        ends += found
        if wrong:
            faults[wrong] += 1
            path.rename(f"/tmp/faults/n_{part}_{number}_{name}")
            home = new_home()
        else:
            path.unlink()
    with open("/tmp/slices.log", "a") as f:
        f.write(
            f"{S} {min(lo + 313, 2500) - lo} {dict(ends)} longest {longest:.1f} cpu {time.process_time() - b:.0f} faults {dict(faults)}\n"
        )
