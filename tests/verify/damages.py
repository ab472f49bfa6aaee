# SPDX-License-Identifier: Apache-2.0
"""The table of damages: all rows, from the files beside this one."""
import damages_content  # noqa: F401
import damages_decisions  # noqa: F401
import damages_files  # noqa: F401
import damages_heads  # noqa: F401
import damages_keys  # noqa: F401
import damages_order  # noqa: F401
import damages_packages  # noqa: F401
import damages_receipts  # noqa: F401
import damages_results  # noqa: F401
import damages_tar  # noqa: F401
from rows import ROWS  # noqa: F401
