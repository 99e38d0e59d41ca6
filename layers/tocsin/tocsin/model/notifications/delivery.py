"""What we tell of deliveries ourselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.model.notifications.digest import DeliveryDigest
from tocsin.model.notifications.failed_summary import DeliveryFailedSummary

if TYPE_CHECKING:
    from tocsin.model.notifications.parts import NotificationData

TYPES: dict[str, type[NotificationData]] = {
    "delivery.digest": DeliveryDigest,
    "delivery.failed_summary": DeliveryFailedSummary,
}
