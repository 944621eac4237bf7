"""The WSGI application: `flask --app app …`, `waitress-serve app:app`."""

from skillshare import create_app

app = create_app()
