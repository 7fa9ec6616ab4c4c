# The parts of msgpack that are used here; the distribution carries no types.

from collections.abc import Callable, Iterator
from typing import Any

class Packer:
    def __init__(self, *, unicode_errors: str = ...) -> None: ...
    def pack(self, obj: object) -> bytes: ...

class ExtType:
    def __init__(self, code: int, data: bytes) -> None: ...

class Timestamp:
    def __init__(self, seconds: int, nanoseconds: int = ...) -> None: ...

class Unpacker:
    def __init__(
        self,
        *,
        read_size: int = ...,
        max_buffer_size: int = ...,
        max_str_len: int = ...,
        max_bin_len: int = ...,
        max_array_len: int = ...,
        max_map_len: int = ...,
        max_ext_len: int = ...,
        strict_map_key: bool = ...,
        object_hook: Callable[[dict[Any, Any]], object] | None = ...,
        ext_hook: Callable[[int, bytes], object] = ...,
    ) -> None: ...
    def feed(self, next_bytes: bytes) -> None: ...
    def tell(self) -> int: ...
    def __iter__(self) -> Iterator[Any]: ...

def unpackb(
    packed: bytes | memoryview,
    *,
    max_str_len: int = ...,
    max_bin_len: int = ...,
    max_array_len: int = ...,
    max_map_len: int = ...,
    max_ext_len: int = ...,
    strict_map_key: bool = ...,
    object_hook: Callable[[dict[Any, Any]], object] | None = ...,
    ext_hook: Callable[[int, bytes], object] = ...,
) -> Any: ...
