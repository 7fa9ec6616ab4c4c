"""Pure functions: frozen values in, lines of text out; nothing here knows a widget."""
