"""Start the app: ``python -m pages.ui``, with the options of ``streamlit run``.

Secrets that this user may not read would end the start in a traceback; they end it in a sentence. So does a secret of
people's cookies that can be guessed: another one is printed with it. And so do sites that may not stand in a header.
"""

import os
import sys
from pathlib import Path

import streamlit as st
from streamlit.web import cli

from clv_core.errors import UsageError
from clv_core.i18n import translate
from pages.ui import identity_provider, server

APP = Path(__file__).resolve().parents[2] / "app.py"

if __name__ == "__main__":
    for path in st.get_option("secrets.files"):
        if os.path.exists(path) and not os.access(path, os.R_OK):
            sys.exit(translate("error.login_unreadable", path=path))
    weak = identity_provider.find_weak_secret()
    if weak is not None:
        sys.exit(f'{weak.message()}\n\ncookie_secret = "{identity_provider.make_secret()}"')
    try:
        server.frame_ancestors()
    except UsageError as error:
        sys.exit(error.message())
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    cli.main(prog_name="streamlit")
