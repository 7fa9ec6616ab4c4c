class UnpackException(Exception): ...  # noqa: N818 - msgpack's name
