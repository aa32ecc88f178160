"""HPACK by hand (RFC 7541): every representation can be chosen, and broken."""

from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

EOS = 256
STATIC_ENTRIES = 61
FIRST_DYNAMIC = STATIC_ENTRIES + 1
DEFAULT_TABLE_SIZE = 4096
ENTRY_OVERHEAD = 32


def octets(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def integer(value, prefix_bits, pattern=0, extra=0):
    """RFC 7541, 5.1. `extra`: octets of zeros more than needed; they add nothing to the value."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        if extra:
            raise ValueError("only integers that continue can be made longer")
        return bytes([pattern | value])
    result = bytearray([pattern | limit])
    value -= limit
    while value >= 0x80:
        result.append(value & 0x7f | 0x80)
        value >>= 7
    result.append(value | (0x80 if extra else 0))
    if extra:
        result += b"\x80" * (extra - 1) + b"\x00"
    return bytes(result)


def huffman_bits(symbols):
    """A text of zeros and ones."""
    return "".join(f"{REQUEST_CODES[symbol]:0{REQUEST_CODES_LENGTH[symbol]}b}" for symbol in symbols)


def pack_bits(bits, padding="1"):
    """Filled to whole octets with this digit."""
    bits += padding * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big") if bits else b""


def huffman(text):
    return pack_bits(huffman_bits(octets(text)))


def raw_string(coded, is_huffman=False, length=None, extra=0):
    """A string literal of these octets as they are. `length`: what is told instead of the truth."""
    size = len(coded) if length is None else length
    return integer(size, 7, 0x80 if is_huffman else 0, extra) + coded


def string(text, is_huffman=False):
    return raw_string(huffman(text), True) if is_huffman else raw_string(octets(text))


def indexed(index):
    return integer(index, 7, 0x80)


def _literal(pattern, prefix_bits, name, value, is_huffman):
    if isinstance(name, int):
        return integer(name, prefix_bits, pattern) + string(value, is_huffman)
    return bytes([pattern]) + string(name, is_huffman) + string(value, is_huffman)


def literal(name, value, is_huffman=False):
    """Without indexing. `name`: a text, or the index of one."""
    return _literal(0x00, 4, name, value, is_huffman)


def never_indexed(name, value, is_huffman=False):
    return _literal(0x10, 4, name, value, is_huffman)


def with_indexing(name, value, is_huffman=False):
    return _literal(0x40, 6, name, value, is_huffman)


def size_update(size):
    return integer(size, 5, 0x20)


def block(fields):
    """A field block that changes no state: literals without indexing."""
    return b"".join(literal(name, value) for name, value in fields)


def entry_size(name, value):
    return len(octets(name)) + len(octets(value)) + ENTRY_OVERHEAD
