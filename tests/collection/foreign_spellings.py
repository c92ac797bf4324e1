"""The log in the encodings, the money and the times of other places."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from foreign_log import Foreign, Row, comma, log, table

ZH_TW = ("退貨後重新購買，品質很好", "快遞很慢，下次再說", "禮物：送給媽媽的生日蛋糕", "顏色與圖片不同")
JAPANESE = ("とても良い商品です。また買います", "配送が遅い、残念", "プレゼント用に購入しました", "色が写真と違う")
KOREAN = ("배송이 빨라서 좋아요", "색상이 사진과 달라요", "다음에 또 살게요", "선물용으로 샀습니다")
RUSSIAN = ("Очень хорошее качество", "Доставка медленная, жаль", "Подарок для мамы", "Цвет не такой")
POLISH = ("Świetna jakość, polecam", "Wysyłka bardzo wolna, żal", "Prezent dla mamy - źle", "Kolor inny niż na zdjęciu")
GERMAN = (
    "Schöne Größe, für Mädchen",
    "Lieferung überfällig",
    "Geschenk für Müller & Söhne",
    "Farbe wie gewünscht – 5 €",
)
CHINESE = ("质量很好，下次还买", "快递太慢了", "送给妈妈的礼物", "颜色和图片不一样")


def encoded() -> dict[str, Foreign]:
    """Files in the encodings of other places."""
    made = {}
    for name, notes, encoding, mark in [
        ("big5", ZH_TW, "big5", b""), ("shift_jis", JAPANESE, "shift_jis", b""), ("euc_jp", JAPANESE, "euc_jp", b""),
        ("euc_kr", KOREAN, "euc_kr", b""), ("cp1251", RUSSIAN, "cp1251", b""), ("koi8_r", RUSSIAN, "koi8_r", b""),
        ("cp1250", POLISH, "cp1250", b""), ("cp1252", GERMAN, "cp1252", b""), ("gbk", CHINESE, "gbk", b""),
        ("utf_16_be", RUSSIAN, "utf-16-be", b"\xfe\xff"), ("utf_16_le_bare", ZH_TW, "utf-16-le", b""),
        ("utf_8_sig", KOREAN, "utf-8", b"\xef\xbb\xbf"),
    ]:  # fmt: skip
        made[name] = Foreign(mark + table(log(notes)).encode(encoding), log(notes))
    header = ["會員編號", "訂單日期", "訂單金額", "商品編號", "備註"]
    made["big5_header"] = Foreign(table(log(ZH_TW), header=header, end="\r\n").encode("big5"), log(ZH_TW))
    header = ["买家会员名", "订单付款时间", "买家实际支付金额", "商品编号", "备注"]
    gold = table(log(CHINESE), header=header, money=lambda v: f"￥{v:,.2f}", end="\r\n", time="%Y/%m/%d %H:%M:%S")
    made["gb18030_shop"] = Foreign(gold.encode("gb18030"), log(CHINESE), said=("currency_marks",))
    text = table(log(GERMAN), delimiter="\t", money=comma, time="%d.%m.%Y %H:%M:%S")
    made["utf_16_tsv"] = Foreign(
        text.encode("utf-16"), log(GERMAN), "Export.txt", said=("decimal_comma", "read_as_dmy")
    )
    made["utf_16_gz"] = Foreign(gzip.compress(text.encode("utf-16")), log(GERMAN), "Export.txt.gz")
    return made


def moneyed() -> dict[str, Foreign]:
    """Money in the spelling of other places."""
    rows = log()
    forms: dict[str, Callable[[Decimal], str]] = {
        "euro_after": lambda v: f"{comma(v)} €",
        "euro_before": lambda v: f"€ {comma(v)}" if v >= 0 else f"-€ {comma(-v)}",
        "swiss": lambda v: f"CHF {v:,.2f}".replace(",", "'"),
        "swiss_curly": lambda v: f"{v:,.2f}".replace(",", "’"),
        "french": lambda v: f"{v:,.2f}".replace(",", " ").replace(".", ","),
        "french_narrow": lambda v: f"{v:,.2f} EUR".replace(",", "\u202f").replace(".", ","),
        "trailing_minus": lambda v: f"{v:,.2f}" if v >= 0 else f"{-v:,.2f}-",
        "books": lambda v: f"${v:,.2f}" if v >= 0 else f"(${-v:,.2f})",
        "long_minus": lambda v: f"{v:,.2f}".replace("-", "−"),
        "yuan": lambda v: f"{v:,.2f}元",
        "polish": lambda v: f"{v:,.2f} zł".replace(",", "\u00a0").replace(".", ","),
        "czech": lambda v: f"{v:,.2f} Kč".replace(",", "\u00a0").replace(".", ","),
        "rouble": lambda v: f"{v:,.2f}".replace(",", " ").replace(".", ",") + " руб.",
        "brazilian": lambda v: f"R$ {comma(v)}" if v >= 0 else f"-R$ {comma(-v)}",
        "scientific": lambda v: f"{v:.6E}",
        "plus": lambda v: f"{v:+.2f}",
        "padded": lambda v: f"{v:>14.2f}  ",
        "wide": lambda v: f"{v:.2f}".translate(str.maketrans("0123456789.-", "０１２３４５６７８９．－")),
        "persian": lambda v: f"{v:.2f}".translate(str.maketrans("0123456789.", "۰۱۲۳۴۵۶۷۸۹٫")),
        "indian": lambda v: f"₹{indian(v)}" if v >= 0 else f"-₹{indian(-v)}",
    }
    return {key: Foreign(table(rows, money=form, delimiter=";").encode(), rows) for key, form in forms.items()}


def indian(value: Decimal) -> str:
    """Return a number above zero with lakh marks: 1,23,456.00."""
    whole, cents = f"{value:.2f}".split(".")
    head, tail = whole[:-3], whole[-3:]
    parts = []
    while head:
        parts.insert(0, head[-2:])
        head = head[:-2]
    return ",".join([*parts, tail]) + "." + cents


def timed() -> dict[str, Foreign]:
    """Times in the spelling of other places and systems."""
    rows = log()
    minutes = [replace(row, time=row.time.replace(second=0)) for row in rows]
    epoch = datetime(1970, 1, 1)

    def excel(time: datetime) -> str:
        return f"{(time - datetime(1899, 12, 30)) / timedelta(days=1):.8f}"

    forms: dict[str, tuple[list[Row], Callable[[datetime], str] | str]] = {
        "epoch_fraction": (rows, lambda t: f"{(t - epoch).total_seconds():.3f}"),
        "epoch_scientific": (rows, lambda t: f"{(t - epoch).total_seconds() * 1000:.12E}"),
        "excel_serial": (rows, excel),
        "american_short": (minutes, lambda t: f"{t.month}/{t.day}/{t:%y} {t.hour}:{t.minute:02}"),
        "german_comma": (rows, "%d.%m.%Y, %H:%M:%S"),
        "oracle_time": (rows, "%d-%b-%Y %H:%M:%S"),
        "oracle_clock": (rows, lambda t: t.strftime("%d-%b-%y %I:%M:%S %p").upper()),
        "written": (rows, "%b %d, %Y %I:%M:%S %p"),
        "mail": (rows, "%a, %d %b %Y %H:%M:%S +0000"),
        "web_server": (rows, "%d/%b/%Y:%H:%M:%S +0000"),
        "chinese_clock": (rows, "%Y年%m月%d日%H时%M分%S秒"),
        "chinese_noon": (
            rows,
            lambda t: f"{t.year}/{t.month}/{t.day} {'下午' if t.hour > 11 else '上午'}{t.hour % 12 or 12}:{t:%M:%S}",
        ),
        "iso_noon": (rows, "%Y-%m-%d %I:%M:%S %p"),
        "chinese_excel": (minutes, lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}:{t.minute:02}"),
        "dots": (minutes, "%Y.%m.%d %H:%M"),
        "short_iso": (rows, lambda t: f"{t.year}-{t.month}-{t.day} {t.hour}:{t.minute}:{t.second}"),
        "compact_space": (rows, "%Y%m%d %H:%M:%S"),
        "log_comma": (rows, "%Y-%m-%d %H:%M:%S,000"),
        "padded": (rows, "  %Y-%m-%d %H:%M:%S "),
    }
    return {key: Foreign(table(log, time=form).encode(), log) for key, (log, form) in forms.items()}
