"""What each ad or mail platform wants in its file: columns, order, hashing.

Each function takes an audience's customers (scores with clean contact columns) and returns exactly the columns that the
platform reads, all text, ready to be written byte for byte.
"""

from __future__ import annotations

import unicodedata
from typing import Any, Final

import pandas as pd

from clv_core.collection.vocabulary import (
    CITY,
    CONSENT,
    COUNTRY,
    EMAIL,
    FBC,
    FIRST_NAME,
    GCLID,
    LAST_NAME,
    MADID,
    PHONE,
    STATE,
    ZIP,
)
from clv_core.columns import CUSTOMER_ID
from clv_core.strategy.audiences.contacts import COUNTRY_CODE, MOBILE_CN, lower, md5, sha256
from clv_core.strategy.plans.break_even import BREAK_EVEN_UPLIFT
from clv_core.strategy.purchase_history import HISTORIC_VALUE, LAST_PURCHASE
from clv_core.strategy.segments import P_PURCHASE, TIER, VALUE

PROPERTIES: Final = {
    CUSTOMER_ID: "customer_id",
    VALUE: "predicted_clv",
    "clv_p10": "clv_p10",
    "clv_p90": "clv_p90",
    P_PURCHASE: "p_purchase",
    TIER: "clv_tier",
    "segment_name": "clv_segment",
    "offer": "clv_offer",
    HISTORIC_VALUE: "historic_value",
    LAST_PURCHASE: "last_purchase",
    "as_of": "clv_as_of",
    "horizon_days": "clv_horizon_days",
    BREAK_EVEN_UPLIFT: "break_even_uplift",
}
"""Columns of ours that mail platforms get as properties, under the names that they see."""
CONVERTED_AT, CONVERSION_VALUE = "converted_at", "conversion_value"
CONVERSION_CURRENCY: Final = "conversion_currency"
"""Columns of conversions (:mod:`.formats`): time in UTC, worth of the customer, code of the currency."""
CONVERSION_NAME: Final = "Predicted customer value"
"""What the conversion action is called in Google Ads."""
UNITED_STATES: Final = "US"
STATES: Final = {
    name: code
    for name, code in (
        pair.split()
        for pair in """alabama al|alaska ak|arizona az|arkansas ar|california ca|colorado co|connecticut ct|delaware de
        |districtofcolumbia dc|washingtondc dc|florida fl|georgia ga|hawaii hi|idaho id|illinois il|indiana in|iowa ia
        |kansas ks|kentucky ky|louisiana la|maine me|maryland md|massachusetts ma|michigan mi|minnesota mn
        |mississippi ms|missouri mo|montana mt|nebraska ne|nevada nv|newhampshire nh|newjersey nj|newmexico nm
        |newyork ny|northcarolina nc|northdakota nd|ohio oh|oklahoma ok|oregon or|pennsylvania pa|rhodeisland ri
        |southcarolina sc|southdakota sd|tennessee tn|texas tx|utah ut|vermont vt|virginia va|washington wa
        |westvirginia wv|wisconsin wi|wyoming wy|americansamoa as|guam gu|northernmarianaislands mp|puertorico pr
        |usvirginislands vi|virginislands vi""".split("|")
    )
}
"""Two letters of each state of the United States by its name as :func:`letters` gives it. Source: ANSI INCITS 38."""


def google(customers: pd.DataFrame) -> pd.DataFrame:
    """Google Ads Customer Match: hashed e-mail, phone (E.164) and names; country code and postal code as they are."""
    return pd.DataFrame(
        {
            "Email": sha256(google_emails(customers[EMAIL])),
            "Phone": sha256(customers[PHONE]),
            "First Name": sha256(lower(customers[FIRST_NAME])),
            "Last Name": sha256(lower(customers[LAST_NAME])),
            "Country": customers[COUNTRY_CODE],
            "Zip": customers[ZIP],
        }
    )


def google_emails(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return addresses as Google hashes them: of its own mail without full stops, ``+`` and what follows it, before
    ``@``; all others as they are.

    Source: Google, formatting of user data (developers.google.com/data-manager/api/devguides/concepts/formatting).
    """
    return texts.str.replace(r"(?:\.|\+[^@]*)(?=[^@]*@(?:gmail|googlemail)\.com$)", "", regex=True)


def meta(customers: pd.DataFrame) -> pd.DataFrame:
    """Meta value-based audience: hashed identifiers (phone as digits), device id as it is, value as a plain number.

    Names and places are hashed in lower case, letters only; postal codes without blanks; American states as codes.

    Source: Meta, customer information parameters (developers.facebook.com/docs/marketing-api/conversions-api/
    parameters/customer-information-parameters): "lowercase only with no punctuation", of cities and states also no
    special characters and no spaces, letters beyond a-z in UTF-8; of the United States the state's two letters and
    five digits of the zip.
    """
    country = customers[COUNTRY_CODE]
    hashed = {
        "email": customers[EMAIL],
        "phone": customers[PHONE].str.lstrip("+"),
        "madid": customers[MADID],
        "fn": letters(customers[FIRST_NAME]),
        "ln": letters(customers[LAST_NAME]),
        "ct": letters(customers[CITY]),
        "st": states(customers[STATE], country),
        "zip": zips(customers[ZIP], country),
        "country": country.str.lower(),
    }
    columns = {name: texts if name == "madid" else sha256(texts) for name, texts in hashed.items()}
    return pd.DataFrame({**columns, "value": plain_numbers(customers[VALUE].clip(lower=0))})


def google_conversions(customers: pd.DataFrame) -> pd.DataFrame:
    """Google Ads offline conversions: the click that won each customer, and what the customer is worth.

    Source: Google, import conversions from clicks (support.google.com/google-ads/answer/7014069): the time as
    ``yyyy-MM-dd HH:mm:ss+HH:mm``, the value as a plain number, no personal data.
    """
    return pd.DataFrame(
        {
            "Google Click ID": customers[GCLID],
            "Conversion Name": CONVERSION_NAME,
            "Conversion Time": customers[CONVERTED_AT].dt.strftime("%Y-%m-%d %H:%M:%S+00:00").astype("str"),
            "Conversion Value": plain_numbers(customers[CONVERSION_VALUE].clip(lower=0)),
            "Conversion Currency": customers[CONVERSION_CURRENCY],
        }
    )


def meta_events(customers: pd.DataFrame) -> pd.DataFrame:
    """Meta offline events: hashed identifiers as in an audience, the click's id as it is, the worth of the customer.

    Source: Meta, offline conversions (developers.facebook.com/docs/marketing-api/conversions-api/parameters): fbc and
    madid are not hashed, event_time in ISO 8601.
    """
    identifiers = meta(customers.assign(**{VALUE: 0.0})).drop(columns="value")
    return identifiers.assign(
        fbc=customers[FBC],
        event_name="Purchase",
        event_time=customers[CONVERTED_AT].dt.strftime("%Y-%m-%dT%H:%M:%SZ").astype("str"),
        value=plain_numbers(customers[CONVERSION_VALUE].clip(lower=0)),
        currency=customers[CONVERSION_CURRENCY],
    )


def letters(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return texts in lower case with nothing but letters, of any script, and the marks that belong to them."""
    return texts.map({text: _letters(text) for text in set(texts)}).astype("str")


def states(texts: pd.Series[Any], countries: pd.Series[Any]) -> pd.Series[Any]:
    """Return states in lower case, letters only, those of the United States by their two letters.

    Args:
        texts: as people write them.
        countries: ISO code of each customer's country, "" for unknown.
    """
    names = letters(texts)
    codes = names.map(STATES).fillna(names)
    return names.where(countries != UNITED_STATES, codes).astype("str")


def zips(texts: pd.Series[Any], countries: pd.Series[Any]) -> pd.Series[Any]:
    """Return postal codes in lower case without blanks and dashes, of the United States the first five digits."""
    codes = texts.astype("str").fillna("").str.lower().str.replace(r"[\s\-\u2010-\u2015]", "", regex=True)
    return codes.where(countries != UNITED_STATES, codes.str[:5]).astype("str")


def _letters(text: str) -> str:
    composed = unicodedata.normalize("NFC", text.lower())
    return "".join(sign for sign in composed if unicodedata.category(sign)[0] in "LM")


def tiktok(customers: pd.DataFrame) -> pd.DataFrame:
    """TikTok customer file: hashed lower-case e-mail and E.164 phone, device id in lower case."""
    return pd.DataFrame(
        {
            "Email_SHA256": sha256(tiktok_emails(customers[EMAIL])),
            "Phone_SHA256": sha256(customers[PHONE]),
            "MAID": lower(customers[MADID]),
        }
    )


def tiktok_emails(texts: pd.Series[Any]) -> pd.Series[Any]:
    """Return addresses as TikTok hashes them: without ``+`` and what follows it, before ``@``; full stops stay.

    Source: TikTok, list of supported ids and formats for a customer file, as of August 2025; up to July 2024 full stops
    were to be taken out too (ads.tiktok.com/help/article/list-of-supported-ids-and-formats-for-a-customer-file).
    """
    return texts.str.replace(r"\+[^@]*(?=@)", "", regex=True)


def phone_hashes(customers: pd.DataFrame) -> pd.DataFrame:
    """Tencent Ads phone list: MD5 of each 11-digit mobile number of the Chinese mainland, without +86, one a line.

    Source: developers.e.qq.com/docs/audience_management/file, HASH_MOBILE_PHONE.
    """
    return pd.DataFrame({"phone": md5(customers[MOBILE_CN])})


def klaviyo(customers: pd.DataFrame) -> pd.DataFrame:
    """Klaviyo list: e-mail first, or phone where nobody has an e-mail; then properties, ISO dates, and consent."""
    contact = {"Email": customers[EMAIL], "Phone Number": customers[PHONE]}
    if not customers[EMAIL].ne("").any():
        contact = {"Phone Number": customers[PHONE]}
    names = {"First Name": FIRST_NAME, "Last Name": LAST_NAME, "City": CITY}
    fields = {title: customers[name] for title, name in names.items()}
    code = customers[COUNTRY_CODE]  # if it is not recognised, the country stays as it is written
    places = {"Country": code.where(code != "", customers[COUNTRY]), "Zip Code": customers[ZIP]}
    frame = pd.DataFrame({**contact, **fields, **places, **properties(customers)})
    if CONSENT in customers and "Email" in contact:
        frame["Email Marketing Consent"] = customers[EMAIL].ne("").map({True: "Subscribed", False: ""})
    return frame


def hubspot(customers: pd.DataFrame) -> pd.DataFrame:
    """HubSpot contacts: one column a property, ``Email`` is the key."""
    names = {
        "Email": EMAIL,
        "First Name": FIRST_NAME,
        "Last Name": LAST_NAME,
        "Phone Number": PHONE,
        "City": CITY,
        "State/Region": STATE,
        "Postal Code": ZIP,
        "Country/Region": COUNTRY,
    }
    return pd.DataFrame({**{title: customers[name] for title, name in names.items()}, **properties(customers)})


def mailchimp(customers: pd.DataFrame) -> pd.DataFrame:
    """Mailchimp audience: ``Email Address`` is the key, the phone in E.164, the country's code, and tags.

    Source: mailchimp.com/help/format-guidelines-for-your-import-file: the code of the United Kingdom is GB.
    """
    names = {"First Name": FIRST_NAME, "Last Name": LAST_NAME, "Phone Number": PHONE, "City": CITY, "Zip Code": ZIP}
    tags = "CLV tier " + customers[TIER].astype("str") if TIER in customers else ""
    fields = {title: customers[name] for title, name in names.items()}
    return pd.DataFrame(
        {
            "Email Address": customers[EMAIL],
            **fields,
            "Country": customers[COUNTRY_CODE],
            "Tags": tags,
            **properties(customers),
        }
    )


def properties(customers: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Return those of :data:`PROPERTIES` that the frame has, as text."""
    return {name: as_text(customers[column]) for column, name in PROPERTIES.items() if column in customers}


def as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return dates as ISO days, numbers plain, text as it is; "" for missing."""
    if pd.api.types.is_datetime64_any_dtype(column):
        days: pd.Series[Any] = column.dt.strftime("%Y-%m-%d").astype("str").fillna("")
        return days
    if pd.api.types.is_float_dtype(column):
        return plain_numbers(column, digits=4 if column.name in (P_PURCHASE, BREAK_EVEN_UPLIFT) else 2)
    return column.astype("str").fillna("")


def plain_numbers(column: pd.Series[Any], digits: int = 2) -> pd.Series[Any]:
    """Return numbers with a point and no exponent or separators, "" for missing."""
    return pd.Series(
        ["" if number != number else f"{number:.{digits}f}" for number in column.astype(float)],
        column.index,
        dtype="str",
    )
