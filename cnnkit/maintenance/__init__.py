"""Keeping a home in order: what is wrong in it, repairs, backups.

for finding in examine(settings):
print(finding.what, finding.advice)
"""

from cnnkit.maintenance.backup import back_up, restore
from cnnkit.maintenance.doctor import examine, repair
from cnnkit.maintenance.findings import Finding

__all__ = ["Finding", "back_up", "examine", "repair", "restore"]
