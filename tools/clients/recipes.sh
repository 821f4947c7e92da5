# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Which parts of the kernel are clients, what each is made of, and what it needs.
# Source it.

# All of them, in the order in which they run; the first few are those of CI.
CLIENTS_QUICK='rhashtable meminit ext2 ext4 squashfs zram'
CLIENTS_ALL="$CLIENTS_QUICK objagg parman bpf ida xarray maple rbtree interval listsort \
minix vfat isofs erofs f2fs ntfs3 btrfs null_blk wireguard ipset"

# recipe CLIENT - what CLIENT is made of:
#   kind     which scene runs it: scene-KIND in this directory
#   dirs     directories of the kernel's source that are modules by themselves
#   files    files that are linked to one module, c_CLIENT
#   setup    functions of those files that the kernel calls when it boots
#   config   options that Debian's kernel has otherwise, NAME=m
#   modules  what is loaded, in this order
#   stock    modules of Debian's own that have to be there beside
#   tools    programs that the scene needs in the guest
recipe()
{
	kind=lib dirs=() files=() setup=() config=() modules=("c_$1") stock=() tools=()

	case $1 in
	rhashtable) files=(lib/test_rhashtable.c lib/rhashtable.c) ;;
	objagg) files=(lib/test_objagg.c lib/objagg.c) ;;
	parman) files=(lib/test_parman.c lib/parman.c) ;;
	meminit) files=(lib/test_meminit.c) ;;
	bpf) files=(lib/test_bpf.c) ;;
	ida)
		files=(lib/test_ida.c lib/idr.c lib/xarray.c lib/radix-tree.c)
		setup=(radix_tree_init)
		;;
	xarray)
		files=(lib/test_xarray.c lib/xarray.c lib/radix-tree.c)
		setup=(radix_tree_init)
		;;
	maple)
		files=(lib/test_maple_tree.c lib/maple_tree.c)
		setup=(maple_tree_init)
		;;
	rbtree) files=(lib/rbtree_test.c) ;;
	interval) files=(lib/interval_tree_test.c lib/interval_tree.c) ;;
	listsort) files=(lib/test_list_sort.c lib/list_sort.c) ;;
	ext2)
		kind=fs dirs=(fs/ext2) config=(EXT2_FS=m) modules=(ext2)
		tools=(mke2fs e2fsck)
		;;
	ext4)
		kind=fs dirs=(fs/jbd2 fs/ext4) modules=(jbd2 ext4)
		stock=(crc32c_generic) tools=(mke2fs e2fsck setfattr getfattr)
		;;
	squashfs) kind=image dirs=(fs/squashfs) modules=(squashfs) ;;
	erofs) kind=image dirs=(fs/erofs) modules=(erofs) ;;
	isofs) kind=image dirs=(fs/isofs) modules=(isofs) ;;
	minix)
		kind=fs dirs=(fs/minix) modules=(minix)
		tools=(mkfs.minix fsck.minix)
		;;
	vfat)
		kind=fs dirs=(fs/fat) config=(MSDOS_FS=n) modules=(fat vfat)
		stock=(nls_cp437 nls_ascii nls_utf8) tools=(mkfs.vfat fsck.vfat)
		;;
	f2fs)
		kind=fs dirs=(fs/f2fs) modules=(f2fs) stock=(crc32_generic)
		tools=(mkfs.f2fs fsck.f2fs setfattr getfattr)
		;;
	ntfs3)
		kind=fs dirs=(fs/ntfs3) modules=(ntfs3)
		stock=(nls_utf8) tools=(mkntfs ntfsfix)
		;;
	btrfs)
		kind=fs dirs=(fs/btrfs) modules=(btrfs) stock=(crc32c_generic)
		tools=(mkfs.btrfs btrfs setfattr getfattr)
		;;
	zram) kind=zram dirs=(drivers/block/zram) modules=(zram) ;;
	null_blk) kind=null_blk dirs=(drivers/block/null_blk) modules=(null_blk) ;;
	wireguard)
		kind=wireguard dirs=(drivers/net/wireguard) modules=(wireguard)
		stock=(veth) tools=(ip wg)
		;;
	ipset)
		kind=ipset dirs=(net/netfilter/ipset)
		modules=(ip_set ip_set_hash_ip ip_set_hash_net ip_set_bitmap_port ip_set_list_set)
		tools=(ipset)
		;;
	*) return 1 ;;
	esac
	# Something to make a file system on.
	[ "$kind" != fs ] || stock+=(brd)
	[ "$kind" != image ] || stock+=(loop)
}
