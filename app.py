"""CLV Studio in the browser: ``python -m pages.ui``. The server; what it shows begins in ``pages/shell.py``."""

import streamlit as st
from starlette.middleware import Middleware

from pages.ui import background, http_guards, upload_gate, uploads

uploads.keep_on_disk()
guards = [Middleware(http_guards.Framing), Middleware(http_guards.MetricsDoor), Middleware(upload_gate.Door)]
app = st.App("pages/shell.py", middleware=guards, lifespan=background.while_up)
