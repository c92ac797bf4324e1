"""CLV Studio in the browser: ``python -m pages.ui``. The server; what it shows begins in ``pages/shell.py``."""

import streamlit as st
from starlette.middleware import Middleware

from pages.ui import server, upload_gate

upload_gate.keep_on_disk()
guards = [Middleware(server.Framing), Middleware(server.MetricsDoor), Middleware(upload_gate.Door)]
app = st.App("pages/shell.py", middleware=guards, lifespan=server.while_up)
