# SPDX-License-Identifier: Apache-2.0
"""The same archive as a TAR, as different programs write it."""
import io
import tarfile

from rows import damage, flip


def tar(a, fmt=tarfile.GNU_FORMAT, prefix="", folders=True, more=(), files=None):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as t:
        made = set()
        for path, data in (files or a.files).items():
            at = ""
            for part in path.split("/")[:-1]:
                at += part + "/"
                if folders and at not in made:
                    made.add(at)
                    info = tarfile.TarInfo(prefix + at)
                    info.type = tarfile.DIRTYPE
                    t.addfile(info)
            info = tarfile.TarInfo(prefix + path)
            info.size = len(data)
            t.addfile(info, io.BytesIO(data))
        for info in more:
            t.addfile(info)
    return out.getvalue()


for title, options in (("GNU", {}), ("ustar", {"fmt": tarfile.USTAR_FORMAT}), ("pax", {"fmt": tarfile.PAX_FORMAT}),
                       ("with ./ before its names", {"prefix": "./"}), ("without its folders", {"folders": False})):
    @damage(f"a TAR, {title}: clean")
    def _(a, options=options):
        a.raw = tar(a, **options)
        return []


@damage("a TAR with long names, GNU: clean but for them")
def _(a):
    long = "x" * 90 + "/" + "y" * 90 + "/" + "z" * 90
    a.files[long] = b"x"
    a.raw = tar(a)
    return [f"file.unknown {long}"]


@damage("a TAR with long names, pax: clean but for them")
def _(a):
    long = "ی" * 60 + "/" + "y" * 90 + "/" + "z" * 190
    a.files[long] = b"x"
    a.raw = tar(a, tarfile.PAX_FORMAT)
    return [f"file.unknown {long}"]


@damage("a TAR with long names, ustar: clean but for them")
def _(a):
    long = "x" * 90 + "/" + "z" * 90
    a.files[long] = b"x"
    a.raw = tar(a, tarfile.USTAR_FORMAT)
    return [f"file.unknown {long}"]


@damage("a TAR without its end: clean")
def _(a):
    data = tar(a)
    while data.endswith(bytes(512)):
        data = data[:-512]
    a.raw = data
    return []


@damage("a TAR, a file in it damaged")
def _(a):
    a.files["tile/0/000"] = flip(a.files["tile/0/000"], 5)
    a.raw = tar(a)
    return ["tile.hash tile/0/000"]


@damage("a TAR with names that begin with a dot")
def _(a):
    a.files[".lock"] = a.files["tile/.put"] = b"x"
    a.raw = tar(a)
    return []


@damage("a TAR without a checkpoint: unusable")
def _(a):
    del a.files["checkpoint"]
    a.raw = tar(a)
    return 2


@damage("a TAR of the folder, not of what is in it: unusable")
def _(a):
    a.raw = tar(a, prefix="log/")
    return 2


@damage("a TAR cut in a file: unusable")
def _(a):
    a.raw = tar(a)[:9000]
    return 2


@damage("a TAR cut in a header: unusable")
def _(a):
    a.raw = tar(a)[:700] if len(a.files["checkpoint"]) else b""
    data = tar(a)
    while data.endswith(bytes(512)):
        data = data[:-512]
    a.raw = data + b"x" * 100
    return 2


@damage("a TAR with a wrong checksum: unusable")
def _(a):
    a.raw = flip(tar(a), 0, 64)
    return 2


@damage("a TAR with a file twice: unusable")
def _(a):
    info = tarfile.TarInfo("checkpoint")
    a.raw = tar(a, more=[info])
    return 2


@damage("a TAR with a file twice, once with ./: unusable")
def _(a):
    info = tarfile.TarInfo("./checkpoint")
    a.raw = tar(a, more=[info])
    return 2


def member(title, make):
    @damage(f"a TAR with {title}: unusable")
    def _(a):
        a.raw = tar(a, more=[make()])
        return 2


def link(kind):
    info = tarfile.TarInfo("other")
    info.type, info.linkname = kind, "checkpoint"
    return info


member("a symbolic link", lambda: link(tarfile.SYMTYPE))
member("a hard link", lambda: link(tarfile.LNKTYPE))
member("a pipe", lambda: link(tarfile.FIFOTYPE))
member("a device", lambda: link(tarfile.CHRTYPE))
member("an absolute name", lambda: tarfile.TarInfo("/etc/passwd"))
member("a name that climbs", lambda: tarfile.TarInfo("tile/../../x"))
member("a name that is ..", lambda: tarfile.TarInfo(".."))


@damage("an empty file: unusable")
def _(a):
    a.raw = b""
    return 2


@damage("a TAR that is compressed: unusable")
def _(a):
    import gzip
    a.raw = gzip.compress(tar(a), mtime=0)
    return 2


@damage("a file that is no TAR: unusable")
def _(a):
    a.raw = b"election results\n" * 1000
    return 2
