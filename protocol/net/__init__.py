"""The asyncio node: a UDP socket, one timer and the streams around a machine."""
