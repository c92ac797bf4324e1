"""Encodings of texts that logs are found in."""

from __future__ import annotations

from typing import Final

MULTI_BYTE: Final = ("gb18030", "gbk", "gb2312", "big5", "cp932", "shift_jis", "euc_kr", "cp949", "euc_jp")
WINDOWS: Final = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874")
ONE_BYTE: Final = (*WINDOWS, "mac_roman", "cp850", "cp866", "koi8_r")
"""Encodings of one byte a letter that a line of column names can prove."""
USUAL: Final = ("utf-8", "utf-16", "gb18030", "big5", "cp932", "euc_kr", *WINDOWS)
"""What a person may choose among; any other encoding that Python knows can be said by name."""
