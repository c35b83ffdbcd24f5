"""Merkle trees of RFC 6962/9162: hashes, inclusion and consistency proofs. Pure functions on bytes.

A tree is read through `Nodes`: `nodes(level, index)` is the hash of the complete subtree over the leaves
`index * 2**level` to `(index + 1) * 2**level - 1`.
"""

import hashlib
from collections.abc import Callable, Sequence

Nodes = Callable[[int, int], bytes]
HASH_BYTES = 32


def leaf_hash(entry: bytes) -> bytes:
    """RFC 9162 2.1.1."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def pair_up(hashes: Sequence[bytes]) -> bytes:
    """The root over 2**k hashes of one level."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def root(nodes: Nodes, size: int) -> bytes:
    """The root of the tree over the first `size` leaves; of the empty tree, the hash of nothing (RFC 9162 2.1.1)."""
    return _range_root(nodes, 0, size) if size else hashlib.sha256(b"").digest()


def inclusion_proof(nodes: Nodes, index: int, size: int) -> tuple[bytes, ...]:
    """RFC 9162 2.1.3.1: from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    return tuple(_path(nodes, index, 0, size))


def consistency_proof(nodes: Nodes, old: int, new: int) -> tuple[bytes, ...]:
    """RFC 9162 2.1.4.1. Undefined for an old size of 0, as there."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof leads from size {old} to size {new}")
    return tuple(_subproof(nodes, old, 0, new, True))


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that a proof leads to, RFC 9162 2.1.3.2. Raises ValueError for a proof of the wrong length."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} does not lie in a tree of {size}")
    if len(leaf) != HASH_BYTES:
        raise ValueError("the leaf hash is not 32 bytes long")
    first, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0 or len(sibling) != HASH_BYTES:
            raise ValueError("the proof is too long" if last == 0 else "a hash in the proof is not 32 bytes long")
        if first & 1 or first == last:
            result = node_hash(sibling, result)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        first, last = first >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return result


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raises ValueError unless the tree of size `new` begins with the tree of size `old`, RFC 9162 2.1.4.2.

    An old size of 0 is refused: nothing can be said about it, and checkpoints of empty trees are never signed.
    """
    if not 0 < old <= new:
        raise ValueError(f"no tree of {new} can be checked against one of {old}")
    if old == new:
        if proof or old_root != new_root:
            raise ValueError("two trees of one size differ")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not proof or not path or any(len(item) != HASH_BYTES for item in path):
        raise ValueError("the proof is empty or holds something that is no hash")
    first, last = old - 1, new - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    from_old = from_new = path[0]
    for item in path[1:]:
        if last == 0:
            raise ValueError("the proof is too long")
        if first & 1 or first == last:
            from_old, from_new = node_hash(item, from_old), node_hash(item, from_new)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            from_new = node_hash(from_new, item)
        first, last = first >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    if from_old != old_root or from_new != new_root:
        raise ValueError("the newer tree does not begin with the older one")


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(nodes: Nodes, start: int, end: int) -> bytes:
    size = end - start
    if size & (size - 1) == 0:
        return nodes(size.bit_length() - 1, start // size)
    middle = start + _split(size)
    return node_hash(_range_root(nodes, start, middle), _range_root(nodes, middle, end))


def _path(nodes: Nodes, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(nodes, index, start, middle), _range_root(nodes, middle, end)]
    return [*_path(nodes, index, middle, end), _range_root(nodes, start, middle)]


def _subproof(nodes: Nodes, old: int, start: int, end: int, whole: bool) -> list[bytes]:
    if start + old == end:
        return [] if whole else [_range_root(nodes, start, end)]
    middle = start + _split(end - start)
    if start + old <= middle:
        return [*_subproof(nodes, old, start, middle, whole), _range_root(nodes, middle, end)]
    inner = _subproof(nodes, old - (middle - start), middle, end, False)
    return [*inner, _range_root(nodes, start, middle)]
