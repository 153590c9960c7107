"""What a zip may be before and while a byte of it is unpacked: the guards that archives and workbooks share.

The directory of a zip is only a claim. Every member is therefore read in pieces, and never past the size that the
directory states for it; a member that holds more, or other bytes than its checksum says, is damaged. So whatever
`check` has let through cannot unpack to more than `unpacked_bytes`.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from groundswell.connectors.files.read import Refused

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
"""First bytes of a zip: of one with members, and of an empty one."""
PIECE = 1 << 18
_LONGEST_READ = 1 << 24
"""Bytes asked for at once, at most. zipfile reads a directory whole: 16 MiB of it are 350,000 members and 230 MB."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What exports use. zipfile unpacks the others without a bound on the size of a piece."""
_ENCRYPTED = 0x1
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    ValueError,
    OSError,
    RuntimeError,
)
"""Everything that zipfile raises on bytes which are not as they should be."""


class _Wary(io.FileIO):
    """A file that is not read by more than a bound at once, whatever size a zip claims to have."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > _LONGEST_READ:
            raise zipfile.BadZipFile(f"a part of {size:,} bytes is asked for at once")
        return super().read(_LONGEST_READ if size is None or size < 0 else size) or b""


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The zip, to be read. Raises Refused when its directory cannot be read."""
    with _Wary(path) as file:
        with _damage("the zip"):
            archive = zipfile.ZipFile(file)
        with archive:
            yield archive


@contextmanager
def _damage(what: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise Refused(f"{what} is damaged ({error}); export or download the file again") from error


def check(path: Path, limits: dict[str, int]) -> None:
    """Raises Refused for a zip of more than `members`, or that unpacks to more than `unpacked_bytes` or `ratio` allow.

    Asks the directory only, nothing is unpacked. Together the members may not be larger than the file, so none of them
    share their bytes, and no packed size is made up to meet the ratio.
    """
    with opened(path) as archive:
        members = archive.infolist()
    if len(members) > limits["members"]:
        raise Refused(f"the zip holds {len(members):,} files, more than {limits['members']:,}; send fewer at once")
    whole = sum(member.file_size for member in members)
    if whole > limits["unpacked_bytes"]:
        raise Refused(
            f"the zip unpacks to {whole:,} bytes, more than {limits['unpacked_bytes']:,}; export it in smaller parts"
        )
    packed, size = sum(member.compress_size for member in members), path.stat().st_size
    if packed > size:
        raise Refused(f"the zip is damaged (it claims {packed:,} packed bytes, and is {size:,}); export it again")
    for member in members:
        check_ratio(member.filename, member.file_size, member.compress_size, limits)


def check_ratio(name: str, unpacked: int, packed: int, limits: dict[str, int]) -> None:
    """Raises Refused when something unpacks to more than `ratio` times its packed size."""
    if unpacked > limits["ratio"] * packed:
        raise Refused(
            f"{name} unpacks to {unpacked:,} bytes out of {packed:,}, more than {limits['ratio']} times its size, as no "
            "export does; hand it over unpacked"
        )


def pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a member. Raises Refused when they are encrypted, or not what the directory says they are."""
    if member.flag_bits & _ENCRYPTED:
        raise Refused(f"{member.filename} is encrypted; pack it again without a password")
    if member.compress_type not in _METHODS:
        raise Refused(f"{member.filename} is packed by a method other than deflate; pack it again as a plain zip")
    with _damage(member.filename), archive.open(member) as file:
        whole = 0
        while piece := file.read(PIECE):
            whole += len(piece)
            yield piece
        if whole != member.file_size:
            raise zipfile.BadZipFile(f"{whole:,} bytes instead of {member.file_size:,}")
