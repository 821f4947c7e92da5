# SPDX-License-Identifier: GPL-2.0-only
"""Opening a vmcore or the running kernel, and finding a module in it, with drgn."""

import logging
import os
import re
import struct

import drgn
from drgn import Object, ProgramFlags
from drgn.helpers.linux.list import list_for_each_entry

BUILD_ID_NOTE = 3   # NT_GNU_BUILD_ID
SHT_NOTE = 7
PT_NOTE = 4
START_KERNEL_MAP = 0xffffffff80000000   # x86-64


class Error(Exception):
    """Something is not there; the text says what and what to do."""


def note_build_id(data):
    """The build ID in the contents of a section of notes, or None."""
    at = 0
    while at + 12 <= len(data):
        namesz, descsz, kind = struct.unpack_from("<III", data, at)
        name = at + 12
        desc = name + (namesz + 3) // 4 * 4
        if kind == BUILD_ID_NOTE and data[name:name + namesz] == b"GNU\0":
            return data[desc:desc + descsz].hex()
        at = desc + (descsz + 3) // 4 * 4
    return None


def elf_sections(path):
    """Name and contents of the sections of a 64-bit ELF file that are notes."""
    with open(path, "rb") as f:
        head = f.read(64)
        if head[:5] != b"\x7fELF\x02":
            raise Error(f"{path} is no 64-bit ELF file")
        shoff, = struct.unpack_from("<Q", head, 0x28)
        shentsize, shnum, shstrndx = struct.unpack_from("<HHH", head, 0x3a)
        f.seek(shoff)
        table = f.read(shentsize * shnum)
        rows = [struct.unpack_from("<IIQQQQ", table, i * shentsize) for i in range(shnum)]
        f.seek(rows[shstrndx][4])
        names = f.read(rows[shstrndx][5])
        for name, kind, _, _, offset, size in rows:
            text = names[name:names.index(b"\0", name)].decode()
            data = b""
            if kind == SHT_NOTE:
                f.seek(offset)
                data = f.read(size)
            yield text, data


def check_module_file(path):
    """Return the build ID of a module that has debug information."""
    names, build_id = set(), None
    for name, data in elf_sections(path):
        names.add(name)
        build_id = build_id or note_build_id(data)
    if ".gnu.linkonce.this_module" not in names:
        raise Error(f"{path} is no kernel module")
    if ".debug_info" not in names:
        raise Error(f"{path} has no debug information: build it for a kernel with "
                    "CONFIG_DEBUG_INFO, and do not strip it")
    return build_id


def vmcoreinfo(core):
    """The kernel's VMCOREINFO in the notes of an ELF core, "" in any other file."""
    with open(core, "rb") as f:
        head = f.read(64)
        if head[:5] != b"\x7fELF\x02":
            return ""
        phoff, = struct.unpack_from("<Q", head, 0x20)
        phentsize, phnum = struct.unpack_from("<HH", head, 0x36)
        for i in range(phnum):
            f.seek(phoff + i * phentsize)
            kind, _, offset, _, _, size = struct.unpack("<IIQQQQ", f.read(40))
            if kind != PT_NOTE:
                continue
            f.seek(offset)
            text = f.read(size).partition(b"VMCOREINFO\0")[2]
            if text:
                return text.decode(errors="replace")
    return ""


def map_kernel(prog, core):
    """
    Let drgn read the kernel's image where the dump has physical addresses only, as
    QEMU's without -p. All else is found through page tables, but they begin in the
    image, and drgn 0.0.22 looks for that through page tables.
    """
    info = vmcoreinfo(core)
    base = re.search(r"^NUMBER\(phys_base\)=(-?\d+)$", info, re.M)
    size = re.search(r"^NUMBER\(KERNEL_IMAGE_SIZE\)=(\d+)$", info, re.M)
    pgd = re.search(r"^SYMBOL\(swapper_pg_dir\)=([0-9a-f]+)$", info, re.M)
    if not (base and size and pgd):
        return
    try:
        prog.read(int(pgd.group(1), 16), 8)
    except drgn.FaultError:
        prog.add_memory_segment(
            START_KERNEL_MAP, int(size.group(1)),
            lambda addr, n, offset, physical:
            prog.read(offset + int(base.group(1)), n, True))


def load(core=None, vmlinux=None, module=None):
    """Return a drgn program of a vmcore, or of the running kernel."""
    prog = drgn.Program()
    # drgn warns of modules that it cannot place; we do without its help there.
    logging.getLogger("drgn").setLevel(logging.ERROR)
    if core:
        try:
            prog.set_core_dump(core)
        except (OSError, ValueError) as e:
            raise Error(f"{core}: {e}") from e
        if not prog.flags & ProgramFlags.IS_LINUX_KERNEL:
            raise Error(f"{core} has no VMCOREINFO, so drgn does not take it for a "
                        "kernel's (QEMU: -device vmcoreinfo, and a guest with FW_CFG_SYSFS)")
    else:
        try:
            prog.set_kernel()
        except (OSError, ValueError) as e:
            raise Error(f"the running kernel: {e}") from e
    if core:
        map_kernel(prog, core)
    release = prog["UTS_RELEASE"].string_().decode()
    # Where distributions have them.
    if not vmlinux:
        vmlinux = next((p for p in (f"/usr/lib/debug/boot/vmlinux-{release}",
                                    f"/usr/lib/debug/lib/modules/{release}/vmlinux",
                                    f"/lib/modules/{release}/build/vmlinux")
                        if os.path.exists(p)), None)
        if not vmlinux:
            raise Error(f"no vmlinux of {release} found: say where with --vmlinux")
    if not module:
        raise Error("say where goalloc.ko with debug information is with --module")
    for path in (vmlinux, module):
        if not os.access(path, os.R_OK):
            raise Error(f"{path} cannot be read")
    check_module_file(module)
    try:
        prog.load_debug_info([vmlinux])
    except (OSError, drgn.MissingDebugInfoError) as e:
        raise Error(f"{vmlinux} has no debug information: {e}") from e
    try:
        told = prog["init_uts_ns"].name.release.string_().decode(errors="replace")
    except (LookupError, drgn.FaultError) as e:
        raise Error(f"{vmlinux} is not the kernel's: {e}") from e
    if told != release:
        raise Error(f"{vmlinux} is of another kernel than this: {release} runs here")
    try:
        prog.load_debug_info([module])
    except drgn.MissingDebugInfoError:
        pass    # where the module is, not what: see Goalloc
    return prog


class Module:
    """A loaded module, by what the kernel itself keeps of it."""

    def __init__(self, prog, name):
        self.prog = prog
        for mod in list_for_each_entry("struct module", prog["modules"].address_of_(), "list"):
            if mod.name.string_() == name.encode():
                self.mod = mod
                break
        else:
            raise Error(f"the module {name} is not loaded in this kernel")
        kallsyms = mod.kallsyms
        if not kallsyms:
            raise Error(f"the kernel has no symbols of {name}: it needs CONFIG_KALLSYMS")
        self.symbols = {}
        for i in range(kallsyms.num_symtab.value_()):
            sym = kallsyms.symtab[i]
            text = (kallsyms.strtab + sym.st_name.value_()).string_().decode(errors="replace")
            if text:
                self.symbols.setdefault(text, sym.st_value.value_())

    def build_id(self):
        """As /sys/module/NAME/notes has it, or None."""
        try:
            attrs = self.mod.notes_attrs
            if not attrs:
                return None
            for i in range(attrs.notes.value_()):
                attr = attrs.attrs[i]
                build_id = note_build_id(self.prog.read(attr.private.value_(),
                                                        attr.size.value_()))
                if build_id:
                    return build_id
        except (AttributeError, LookupError, drgn.FaultError):
            pass
        return None

    def variable(self, name, type_):
        """A variable of the module."""
        if name not in self.symbols:
            raise Error(f"the module has no symbol {name}: it is another version, "
                        "or the kernel lacks CONFIG_KALLSYMS_ALL")
        return Object(self.prog, type_, address=self.symbols[name])
