"""CLV Studio in the browser: ``python -m pages.ui``. The server; what it shows begins in ``pages/shell.py``."""

import streamlit as st
from starlette.middleware import Middleware

from pages.ui import background, upload_gate, uploads

uploads.keep_on_disk()
app = st.App("pages/shell.py", middleware=[Middleware(upload_gate.Door)], lifespan=background.while_up)
