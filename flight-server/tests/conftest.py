"""Which of the tests here are collected."""

import os

# Its program is built by `make release-test` alone: no part of `make test`.
collect_ignore = [] if os.environ.get("HAETAE_RUN_ALL") else ["test_flight_sql_client.py"]
