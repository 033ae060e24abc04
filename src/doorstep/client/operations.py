"""A method for each operation of the REST API.

Made by ``python -m tests.client.test_source`` from the API's description: never change it by hand.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from doorstep.client import shapes

__all__ = ["Operations"]


class Operations(ABC):
    """The operations, by their names in the description."""

    @abstractmethod
    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content: tuple[str, bytes] | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Ask, and return the value of the answer."""

    @abstractmethod
    def pages(self, fetch: Callable[[str], Any]) -> Iterator[Any]:
        """Yield the items of every page that ``fetch`` gets by its cursor."""

    def list_products(self, *, cursor: str = "", limit: int = 50) -> shapes.ProductPage:
        """List the products."""
        found: shapes.ProductPage = self.call(
            "GET", "/api/v1/products", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_products(self, *, limit: int = 50) -> Iterator[shapes.ProductOut]:
        """Go through all pages of `list_products`."""
        return self.pages(lambda cursor: self.list_products(cursor=cursor, limit=limit))

    def add_product(self, body: shapes.ProductIn, *, idempotency_key: str | None = None) -> shapes.ProductOut:
        """Add a product. Its devices are made by `doorstep factory batch`."""
        found: shapes.ProductOut = self.call(
            "POST", "/api/v1/products", body=body, idempotency_key=idempotency_key
        )
        return found

    def get_product(self, key: str) -> shapes.ProductOut:
        """Return one product."""
        found: shapes.ProductOut = self.call("GET", f"/api/v1/products/{_part(key)}")
        return found

    def set_onboarding(self, key: str, body: shapes.OnboardingIn) -> shapes.ProductOut:
        """Choose a product's onboarding methods; a weak one needs its risk accepted, once, and marks the
        product.

        Batches made from now on have them; devices that are made keep theirs.
        """
        found: shapes.ProductOut = self.call("PUT", f"/api/v1/products/{_part(key)}/onboarding", body=body)
        return found

    def set_legacy_formats(self, key: str, body: shapes.LegacyIn) -> shapes.ProductOut:
        """Choose which insecure message formats are taken of a product's devices; each needs its risk
        accepted.

        It holds from now on for all of them, and marks the product and each device that uses one.
        """
        found: shapes.ProductOut = self.call("PUT", f"/api/v1/products/{_part(key)}/legacy", body=body)
        return found

    def list_batches(
        self, *, product: str | None = None, cursor: str = "", limit: int = 50
    ) -> shapes.BatchPage:
        """List the batches, all or those of one product."""
        found: shapes.BatchPage = self.call(
            "GET", "/api/v1/batches", query={"product": product, "cursor": cursor, "limit": limit}
        )
        return found

    def each_batches(self, *, product: str | None = None, limit: int = 50) -> Iterator[shapes.BatchOut]:
        """Go through all pages of `list_batches`."""
        return self.pages(lambda cursor: self.list_batches(cursor=cursor, product=product, limit=limit))

    def get_batch(self, number: str) -> shapes.BatchOut:
        """Return one batch."""
        found: shapes.BatchOut = self.call("GET", f"/api/v1/batches/{_part(number)}")
        return found

    def record_sale(self, body: shapes.SaleIn, *, idempotency_key: str | None = None) -> shapes.SaleDone:
        """Record an order as sold: every row, or none and each bad row named.

        Repeat it freely: with the same Idempotency-Key it answers the same, and the same order never
        sells twice.
        """
        found: shapes.SaleDone = self.call(
            "POST", "/api/v1/sales", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_sales(
        self,
        *,
        order: str | None = None,
        buyer_email: str | None = None,
        serial: str | None = None,
        cursor: str = "",
        limit: int = 50,
    ) -> shapes.SalePage:
        """List sales and dispatches, newest first: a wholesaler its own, the maker all; or those that
        fit.
        """
        found: shapes.SalePage = self.call(
            "GET",
            "/api/v1/sales",
            query={
                "order": order,
                "buyer_email": buyer_email,
                "serial": serial,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    def each_sales(
        self,
        *,
        order: str | None = None,
        buyer_email: str | None = None,
        serial: str | None = None,
        limit: int = 50,
    ) -> Iterator[shapes.SaleOut]:
        """Go through all pages of `list_sales`."""
        return self.pages(
            lambda cursor: self.list_sales(
                cursor=cursor, order=order, buyer_email=buyer_email, serial=serial, limit=limit
            )
        )

    def withdraw_sale(
        self, body: shapes.WithdrawIn, *, idempotency_key: str | None = None
    ) -> shapes.RowsDone:
        """Take devices out of an order that nobody has received or owns yet; the ledger keeps both
        entries.
        """
        found: shapes.RowsDone = self.call(
            "POST", "/api/v1/sales/withdraw", body=body, idempotency_key=idempotency_key
        )
        return found

    def get_sale(self, number: int) -> shapes.SaleOut:
        """Return one sale; a wholesaler gets those that it made, and those that came to it."""
        found: shapes.SaleOut = self.call("GET", f"/api/v1/sales/{_part(number)}")
        return found

    def list_sold_devices(self, number: int, *, cursor: str = "", limit: int = 50) -> shapes.PlacePage:
        """List the devices of a sale, those included that its buyer has no longer, by serial."""
        found: shapes.PlacePage = self.call(
            "GET", f"/api/v1/sales/{_part(number)}/devices", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_sold_devices(self, number: int, *, limit: int = 50) -> Iterator[shapes.SoldOut]:
        """Go through all pages of `list_sold_devices`."""
        return self.pages(lambda cursor: self.list_sold_devices(number, cursor=cursor, limit=limit))

    def list_deliveries(self, *, cursor: str = "", limit: int = 50) -> shapes.SalePage:
        """List what was dispatched to the wholesaler, newest first."""
        found: shapes.SalePage = self.call(
            "GET", "/api/v1/deliveries", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_deliveries(self, *, limit: int = 50) -> Iterator[shapes.SaleOut]:
        """Go through all pages of `list_deliveries`."""
        return self.pages(lambda cursor: self.list_deliveries(cursor=cursor, limit=limit))

    def import_sales(self, body: bytes, *, idempotency_key: str | None = None) -> shapes.ImportOut:
        """Store the rows of a CSV file: `order`, `serial`, and `buyer_email` or `wholesaler`, perhaps
        `box`.

        Good rows are stored, bad ones kept to be fetched. The same file again changes nothing.
        """
        found: shapes.ImportOut = self.call(
            "POST", "/api/v1/imports", content=("multipart/form-data", body), idempotency_key=idempotency_key
        )
        return found

    def get_import(self, number: int) -> shapes.ImportOut:
        """Tell what became of a file; the last twenty of an organisation are known."""
        found: shapes.ImportOut = self.call("GET", f"/api/v1/imports/{_part(number)}")
        return found

    def get_import_failures(self, number: int) -> bytes:
        """Return the rows that were not stored as CSV of the same form, with what to mend in `problem`."""
        found: bytes = self.call("GET", f"/api/v1/imports/{_part(number)}/failures")
        return found

    def list_stock(
        self, *, order: str | None = None, box: str | None = None, cursor: str = "", limit: int = 50
    ) -> shapes.StockPage:
        """List what a wholesaler holds, on its way or received; for the maker what all of them hold."""
        found: shapes.StockPage = self.call(
            "GET", "/api/v1/stock", query={"order": order, "box": box, "cursor": cursor, "limit": limit}
        )
        return found

    def each_stock(
        self, *, order: str | None = None, box: str | None = None, limit: int = 50
    ) -> Iterator[shapes.StockOut]:
        """Go through all pages of `list_stock`."""
        return self.pages(lambda cursor: self.list_stock(cursor=cursor, order=order, box=box, limit=limit))

    def receive_devices(
        self, body: shapes.SerialsIn, *, idempotency_key: str | None = None
    ) -> shapes.RowsDone:
        """Say that devices have come which were dispatched to you. Good rows are stored."""
        found: shapes.RowsDone = self.call(
            "POST", "/api/v1/stock/receive", body=body, idempotency_key=idempotency_key
        )
        return found

    def return_devices(
        self, body: shapes.StockReturnIn, *, idempotency_key: str | None = None
    ) -> shapes.RowsDone:
        """Send devices from your stock back to the maker. Good rows are stored."""
        found: shapes.RowsDone = self.call(
            "POST", "/api/v1/stock/return", body=body, idempotency_key=idempotency_key
        )
        return found

    def take_devices_into_stock(
        self, body: shapes.SerialsIn, *, idempotency_key: str | None = None
    ) -> shapes.RowsDone:
        """Put devices into the maker's stock, from the line or as they come back. Good rows are stored."""
        found: shapes.RowsDone = self.call(
            "POST", "/api/v1/stock/take-in", body=body, idempotency_key=idempotency_key
        )
        return found

    def make_challenge(self, *, idempotency_key: str | None = None) -> shapes.ChallengeOut:
        """Make a challenge that a device signs; good for five minutes and for the caller's organisation."""
        found: shapes.ChallengeOut = self.call(
            "POST", "/api/v1/onboarding/challenges", idempotency_key=idempotency_key
        )
        return found

    def attest_device(
        self, body: shapes.AttestationIn, *, idempotency_key: str | None = None
    ) -> shapes.AttestationOut:
        """Say what is known of a device by its signed statement, which the caller's phone relays."""
        found: shapes.AttestationOut = self.call(
            "POST", "/api/v1/onboarding/attestations", body=body, idempotency_key=idempotency_key
        )
        return found

    def look_up_device(self, *, serial: str) -> shapes.FoundOut:
        """Find a device to seal Wi-Fi credentials for, by serial or device id, typed or said in any
        case.
        """
        found: shapes.FoundOut = self.call("GET", "/api/v1/devices/lookup", query={"serial": serial})
        return found

    def release_setup(self, device_id: str, *, idempotency_key: str | None = None) -> shapes.ReleaseOut:
        """Allow to set a device up again that the caller owns: its code died when it was claimed."""
        found: shapes.ReleaseOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/release-setup", idempotency_key=idempotency_key
        )
        return found

    def list_devices(
        self,
        *,
        serial: str | None = None,
        product: str | None = None,
        batch: str | None = None,
        life: shapes.Life | None = None,
        standing: shapes.Standing | None = None,
        disputed: bool | None = None,
        search: str | None = None,
        condition: shapes.Condition | None = None,
        site: int | None = None,
        group: int | None = None,
        cursor: str = "",
        limit: int = 50,
    ) -> shapes.DevicePage:
        """List the devices that the caller may see, by device id; all, or those that fit every filter."""
        found: shapes.DevicePage = self.call(
            "GET",
            "/api/v1/devices",
            query={
                "serial": serial,
                "product": product,
                "batch": batch,
                "life": life,
                "standing": standing,
                "disputed": disputed,
                "search": search,
                "condition": condition,
                "site": site,
                "group": group,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    def each_devices(
        self,
        *,
        serial: str | None = None,
        product: str | None = None,
        batch: str | None = None,
        life: shapes.Life | None = None,
        standing: shapes.Standing | None = None,
        disputed: bool | None = None,
        search: str | None = None,
        condition: shapes.Condition | None = None,
        site: int | None = None,
        group: int | None = None,
        limit: int = 50,
    ) -> Iterator[shapes.DeviceOut]:
        """Go through all pages of `list_devices`."""
        return self.pages(
            lambda cursor: self.list_devices(
                cursor=cursor,
                serial=serial,
                product=product,
                batch=batch,
                life=life,
                standing=standing,
                disputed=disputed,
                search=search,
                condition=condition,
                site=site,
                group=group,
                limit=limit,
            )
        )

    def get_device(self, device_id: str) -> shapes.DeviceOut:
        """Return one device."""
        found: shapes.DeviceOut = self.call("GET", f"/api/v1/devices/{_part(device_id)}")
        return found

    def revoke_device(
        self, device_id: str, body: shapes.RevokeIn, *, idempotency_key: str | None = None
    ) -> shapes.RevocationOut:
        """Revoke a device: nothing of it is accepted from now on. Asked again, it tells how far it is."""
        found: shapes.RevocationOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/revoke", body=body, idempotency_key=idempotency_key
        )
        return found

    def get_standing(self, device_id: str) -> shapes.StandingOut:
        """Return how far a device is trusted and why; its owner and the staff may ask."""
        found: shapes.StandingOut = self.call("GET", f"/api/v1/devices/{_part(device_id)}/standing")
        return found

    def quarantine_device(
        self, device_id: str, body: shapes.WhyIn, *, idempotency_key: str | None = None
    ) -> shapes.StandingOut:
        """Accept nothing of a device until somebody decides; its certificates are kept."""
        found: shapes.StandingOut = self.call(
            "POST",
            f"/api/v1/devices/{_part(device_id)}/quarantine",
            body=body,
            idempotency_key=idempotency_key,
        )
        return found

    def clear_device(
        self, device_id: str, body: shapes.WhyIn, *, idempotency_key: str | None = None
    ) -> shapes.StandingOut:
        """End a suspicion or a quarantine."""
        found: shapes.StandingOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/clear", body=body, idempotency_key=idempotency_key
        )
        return found

    def step_label(
        self, device_id: str, body: shapes.LabelIn, *, idempotency_key: str | None = None
    ) -> shapes.LabelOut:
        """Note that a label was tampered with, or give a device that nobody owns a new code."""
        found: shapes.LabelOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/label", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_children(self, device_id: str) -> shapes.ChildrenOut:
        """List the devices behind a gateway."""
        found: shapes.ChildrenOut = self.call("GET", f"/api/v1/devices/{_part(device_id)}/children")
        return found

    def attach_child(self, device_id: str, child_id: str) -> shapes.ChildrenOut:
        """Let a gateway carry a device's messages, and no other any more. Asked again, nothing changes."""
        found: shapes.ChildrenOut = self.call(
            "PUT", f"/api/v1/devices/{_part(device_id)}/children/{_part(child_id)}"
        )
        return found

    def detach_child(self, device_id: str, child_id: str) -> None:
        """Cut a device off from its gateway at once; what the gateway still holds of it is refused."""
        self.call("DELETE", f"/api/v1/devices/{_part(device_id)}/children/{_part(child_id)}")

    def add_block(self, body: shapes.BlockIn, *, idempotency_key: str | None = None) -> shapes.BlockState:
        """Block a batch, a hardware id or a factory key at once; ask again to see how far the clearing-
        up is.

        A line that is open already is answered as it is.
        """
        found: shapes.BlockState = self.call(
            "POST", "/api/v1/blocks", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_blocks(self, *, cursor: str = "", limit: int = 50) -> shapes.BlockPage:
        """List the lines, newest first."""
        found: shapes.BlockPage = self.call("GET", "/api/v1/blocks", query={"cursor": cursor, "limit": limit})
        return found

    def each_blocks(self, *, limit: int = 50) -> Iterator[shapes.BlockOut]:
        """Go through all pages of `list_blocks`."""
        return self.pages(lambda cursor: self.list_blocks(cursor=cursor, limit=limit))

    def get_block(self, number: int) -> shapes.BlockState:
        """Return one line, and how far it is."""
        found: shapes.BlockState = self.call("GET", f"/api/v1/blocks/{_part(number)}")
        return found

    def lift_block(
        self, number: int, body: shapes.LiftIn, *, idempotency_key: str | None = None
    ) -> shapes.BlockOut:
        """End a block by a new line; its devices come in again as they renew, unless otherwise blocked."""
        found: shapes.BlockOut = self.call(
            "POST", f"/api/v1/blocks/{_part(number)}/lift", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_readings(self, device_id: str, *, after_us: int = 0, limit: int = 100) -> shapes.Readings:
        """Return the newest readings that arrived after ``after_us``, in this owner's time alone."""
        found: shapes.Readings = self.call(
            "GET",
            f"/api/v1/devices/{_part(device_id)}/readings",
            query={"after_us": after_us, "limit": limit},
        )
        return found

    def send_command(
        self, device_id: str, body: shapes.CommandIn, *, idempotency_key: str | None = None
    ) -> shapes.CommandOut:
        """Queue a command. It goes out when the device shows itself, until the device answers or it
        expires.
        """
        found: shapes.CommandOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/commands", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_commands(
        self, device_id: str, *, state: shapes.Delivery | None = None, cursor: str = "", limit: int = 50
    ) -> shapes.CommandPage:
        """List what was sent, or waits to be sent, to a device in this owner's time."""
        found: shapes.CommandPage = self.call(
            "GET",
            f"/api/v1/devices/{_part(device_id)}/commands",
            query={"state": state, "cursor": cursor, "limit": limit},
        )
        return found

    def each_commands(
        self, device_id: str, *, state: shapes.Delivery | None = None, limit: int = 50
    ) -> Iterator[shapes.CommandOut]:
        """Go through all pages of `list_commands`."""
        return self.pages(
            lambda cursor: self.list_commands(device_id, cursor=cursor, state=state, limit=limit)
        )

    def get_command(self, device_id: str, command_id: str) -> shapes.CommandOut:
        """Return one command and how far it is."""
        found: shapes.CommandOut = self.call(
            "GET", f"/api/v1/devices/{_part(device_id)}/commands/{_part(command_id)}"
        )
        return found

    def cancel_command(
        self, device_id: str, command_id: str, *, idempotency_key: str | None = None
    ) -> shapes.CommandOut:
        """Withdraw a command. One that was sent may be carried out all the same, and then says so."""
        found: shapes.CommandOut = self.call(
            "POST",
            f"/api/v1/devices/{_part(device_id)}/commands/{_part(command_id)}/cancel",
            idempotency_key=idempotency_key,
        )
        return found

    def get_desired(self, device_id: str) -> shapes.DesiredOut:
        """Return the settings that a device should have, and those that it has."""
        found: shapes.DesiredOut = self.call("GET", f"/api/v1/devices/{_part(device_id)}/desired")
        return found

    def put_desired(self, device_id: str, body: shapes.DesiredIn) -> shapes.DesiredOut:
        """Replace the settings that a device should have; 409 when somebody else did so in between."""
        found: shapes.DesiredOut = self.call("PUT", f"/api/v1/devices/{_part(device_id)}/desired", body=body)
        return found

    def list_events(self, device_id: str, *, limit: int = 50) -> shapes.Events:
        """Return the newest events that a device told, in this owner's time alone."""
        found: shapes.Events = self.call(
            "GET", f"/api/v1/devices/{_part(device_id)}/events", query={"limit": limit}
        )
        return found

    def rotate_key(
        self, device_id: str, body: shapes.RotateIn, *, idempotency_key: str | None = None
    ) -> shapes.RotationOut:
        """Begin to replace a key; one that is under way is returned. Both work until the new one is in
        use.
        """
        found: shapes.RotationOut = self.call(
            "POST",
            f"/api/v1/devices/{_part(device_id)}/keys/rotate",
            body=body,
            idempotency_key=idempotency_key,
        )
        return found

    def list_key_rotations(self, device_id: str, *, cursor: str = "", limit: int = 50) -> shapes.RotationPage:
        """List the replacements of a device's keys."""
        found: shapes.RotationPage = self.call(
            "GET",
            f"/api/v1/devices/{_part(device_id)}/keys/rotations",
            query={"cursor": cursor, "limit": limit},
        )
        return found

    def each_key_rotations(self, device_id: str, *, limit: int = 50) -> Iterator[shapes.RotationOut]:
        """Go through all pages of `list_key_rotations`."""
        return self.pages(lambda cursor: self.list_key_rotations(device_id, cursor=cursor, limit=limit))

    def list_ledger(
        self, *, kind: shapes.Kind | None = None, cursor: str = "", limit: int = 50
    ) -> shapes.LedgerPage:
        """List what happened to all devices, oldest first; all of it, or entries of one kind."""
        found: shapes.LedgerPage = self.call(
            "GET", "/api/v1/ledger", query={"kind": kind, "cursor": cursor, "limit": limit}
        )
        return found

    def each_ledger(
        self, *, kind: shapes.Kind | None = None, limit: int = 50
    ) -> Iterator[shapes.LedgerEntry]:
        """Go through all pages of `list_ledger`."""
        return self.pages(lambda cursor: self.list_ledger(cursor=cursor, kind=kind, limit=limit))

    def verify_ledger(self) -> shapes.Verified:
        """Verify every hash and signature of the ledger; a very long one is the work of the command."""
        found: shapes.Verified = self.call("GET", "/api/v1/ledger/verification")
        return found

    def list_custody(self, device_id: str, *, cursor: str = "", limit: int = 50) -> shapes.EntryPage:
        """List what happened to a device, oldest first."""
        found: shapes.EntryPage = self.call(
            "GET", f"/api/v1/devices/{_part(device_id)}/ledger", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_custody(self, device_id: str, *, limit: int = 50) -> Iterator[shapes.EntryOut]:
        """Go through all pages of `list_custody`."""
        return self.pages(lambda cursor: self.list_custody(device_id, cursor=cursor, limit=limit))

    def get_registration_token(self, number: int) -> shapes.TokenState:
        """Say whether a device came with a token, and what became of its claim."""
        found: shapes.TokenState = self.call("GET", f"/api/v1/registration-tokens/{_part(number)}")
        return found

    def make_registration_token(
        self, body: shapes.TokenIn, *, idempotency_key: str | None = None
    ) -> shapes.TokenOut:
        """Make a single-use token, good for ten minutes, that lets one device join the caller's
        organisation.
        """
        found: shapes.TokenOut = self.call(
            "POST", "/api/v1/registration-tokens", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_cases(self, *, cursor: str = "", limit: int = 50) -> shapes.CasePage:
        """List disputes: all of them for the staff, else those of the caller's organisation."""
        found: shapes.CasePage = self.call("GET", "/api/v1/cases", query={"cursor": cursor, "limit": limit})
        return found

    def each_cases(self, *, limit: int = 50) -> Iterator[shapes.CaseOut]:
        """Go through all pages of `list_cases`."""
        return self.pages(lambda cursor: self.list_cases(cursor=cursor, limit=limit))

    def get_case(self, number: int) -> shapes.CaseDetail:
        """Return one dispute with its record."""
        found: shapes.CaseDetail = self.call("GET", f"/api/v1/cases/{_part(number)}")
        return found

    def take_case_step(
        self, number: int, body: shapes.StepIn, *, idempotency_key: str | None = None
    ) -> shapes.CaseDetail:
        """Take a step in a dispute, as a person who is logged in."""
        found: shapes.CaseDetail = self.call(
            "POST", f"/api/v1/cases/{_part(number)}/steps", body=body, idempotency_key=idempotency_key
        )
        return found

    def add_case_paper(
        self, number: int, body: bytes, *, idempotency_key: str | None = None
    ) -> shapes.PaperOut:
        """Bring a PDF, JPEG or PNG file for one's side, as a person; the same again is kept once."""
        found: shapes.PaperOut = self.call(
            "POST",
            f"/api/v1/cases/{_part(number)}/papers",
            content=("multipart/form-data", body),
            idempotency_key=idempotency_key,
        )
        return found

    def get_case_paper(self, number: int, paper: int) -> bytes:
        """Return a paper: to its own side, or to the staff."""
        found: bytes = self.call("GET", f"/api/v1/cases/{_part(number)}/papers/{_part(paper)}")
        return found

    def list_attempts(self, device_id: str, *, cursor: str = "", limit: int = 50) -> shapes.Attempts:
        """List what others tried with a device since its owner has it."""
        found: shapes.Attempts = self.call(
            "GET", f"/api/v1/devices/{_part(device_id)}/attempts", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_attempts(self, device_id: str, *, limit: int = 50) -> Iterator[shapes.AttemptOut]:
        """Go through all pages of `list_attempts`."""
        return self.pages(lambda cursor: self.list_attempts(device_id, cursor=cursor, limit=limit))

    def list_handovers(self, *, cursor: str = "", limit: int = 50) -> shapes.OfferPage:
        """List offers that the caller's organisation made or took, and those to the caller's own
        addresses.
        """
        found: shapes.OfferPage = self.call(
            "GET", "/api/v1/handovers", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_handovers(self, *, limit: int = 50) -> Iterator[shapes.OfferOut]:
        """Go through all pages of `list_handovers`."""
        return self.pages(lambda cursor: self.list_handovers(cursor=cursor, limit=limit))

    def get_handover(self, number: int) -> shapes.OfferOut:
        """Return one offer."""
        found: shapes.OfferOut = self.call("GET", f"/api/v1/handovers/{_part(number)}")
        return found

    def offer_transfer(
        self, device_id: str, body: shapes.TransferIn, *, idempotency_key: str | None = None
    ) -> shapes.OfferOut:
        """Offer a device to an address. It stays its owner's until whoever confirmed that address
        accepts.
        """
        found: shapes.OfferOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/transfer", body=body, idempotency_key=idempotency_key
        )
        return found

    def offer_return(
        self, device_id: str, body: shapes.ReturnIn, *, idempotency_key: str | None = None
    ) -> shapes.OfferOut:
        """Announce that a device goes back. It stays its owner's until the maker has it."""
        found: shapes.OfferOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/return", body=body, idempotency_key=idempotency_key
        )
        return found

    def accept_handover(
        self, number: int, body: shapes.AcceptIn, *, idempotency_key: str | None = None
    ) -> shapes.OfferOut:
        """Accept a transfer, as a person whose address it was offered to; or a return, as the maker."""
        found: shapes.OfferOut = self.call(
            "POST", f"/api/v1/handovers/{_part(number)}/accept", body=body, idempotency_key=idempotency_key
        )
        return found

    def decline_handover(self, number: int, *, idempotency_key: str | None = None) -> shapes.OfferOut:
        """Say no to a transfer, as a person whose address it was offered to."""
        found: shapes.OfferOut = self.call(
            "POST", f"/api/v1/handovers/{_part(number)}/decline", idempotency_key=idempotency_key
        )
        return found

    def cancel_handover(self, number: int, *, idempotency_key: str | None = None) -> shapes.OfferOut:
        """Take an offer back."""
        found: shapes.OfferOut = self.call(
            "POST", f"/api/v1/handovers/{_part(number)}/cancel", idempotency_key=idempotency_key
        )
        return found

    def swap_device(
        self, device_id: str, body: shapes.SwapIn, *, idempotency_key: str | None = None
    ) -> shapes.SwapOut:
        """Give a broken device's owner another one; the readings of the old one stay theirs."""
        found: shapes.SwapOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/swap", body=body, idempotency_key=idempotency_key
        )
        return found

    def scrap_device(
        self, device_id: str, body: shapes.ScrapIn, *, idempotency_key: str | None = None
    ) -> shapes.DocumentOut:
        """End a device for ever, and return the certificate. The maker scraps only what nobody owns."""
        found: shapes.DocumentOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/scrap", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_past_devices(self, *, cursor: str = "", limit: int = 50) -> shapes.PastPage:
        """List the devices that the organisation had."""
        found: shapes.PastPage = self.call(
            "GET", "/api/v1/past-devices", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_past_devices(self, *, limit: int = 50) -> Iterator[shapes.PastOut]:
        """Go through all pages of `list_past_devices`."""
        return self.pages(lambda cursor: self.list_past_devices(cursor=cursor, limit=limit))

    def list_past_readings(self, number: int, *, limit: int = 100) -> shapes.PastReadings:
        """Return the newest readings of the time in which the organisation had the device."""
        found: shapes.PastReadings = self.call(
            "GET", f"/api/v1/past-devices/{_part(number)}/readings", query={"limit": limit}
        )
        return found

    def ask_for_past_data(
        self, number: int, body: shapes.DataIn, *, idempotency_key: str | None = None
    ) -> shapes.JobOut:
        """Export or erase the readings that were kept of a past device."""
        found: shapes.JobOut = self.call(
            "POST", f"/api/v1/past-devices/{_part(number)}/data", body=body, idempotency_key=idempotency_key
        )
        return found

    def ask_for_data(
        self, device_id: str, body: shapes.DataIn, *, idempotency_key: str | None = None
    ) -> shapes.JobOut:
        """Export or erase the readings of a device until now."""
        found: shapes.JobOut = self.call(
            "POST", f"/api/v1/devices/{_part(device_id)}/data", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_data_jobs(self, *, cursor: str = "", limit: int = 50) -> shapes.JobPage:
        """List exports, erasures and hand-overs of the organisation's readings, and how far they are."""
        found: shapes.JobPage = self.call(
            "GET", "/api/v1/data-jobs", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_data_jobs(self, *, limit: int = 50) -> Iterator[shapes.JobOut]:
        """Go through all pages of `list_data_jobs`."""
        return self.pages(lambda cursor: self.list_data_jobs(cursor=cursor, limit=limit))

    def get_data_job(self, number: int) -> shapes.JobOut:
        """Return one data job."""
        found: shapes.JobOut = self.call("GET", f"/api/v1/data-jobs/{_part(number)}")
        return found

    def get_export(self, number: int) -> bytes:
        """Return the file of a finished export, gzipped CSV, for 30 days."""
        found: bytes = self.call("GET", f"/api/v1/data-jobs/{_part(number)}/file")
        return found

    def list_documents(self, *, cursor: str = "", limit: int = 50) -> shapes.DocumentPage:
        """List the organisation's signed documents."""
        found: shapes.DocumentPage = self.call(
            "GET", "/api/v1/documents", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_documents(self, *, limit: int = 50) -> Iterator[shapes.DocumentOut]:
        """Go through all pages of `list_documents`."""
        return self.pages(lambda cursor: self.list_documents(cursor=cursor, limit=limit))

    def get_document(self, number: int) -> shapes.DocumentOut:
        """Return one signed document: the receipt of an erasure or export, or a scrapping's certificate."""
        found: shapes.DocumentOut = self.call("GET", f"/api/v1/documents/{_part(number)}")
        return found

    def get_document_key(self) -> shapes.KeyOut:
        """Return the public key that signs documents."""
        found: shapes.KeyOut = self.call("GET", "/api/v1/document-key")
        return found

    def list_dead_letters(
        self, *, device_id: str | None = None, reason: str | None = None, cursor: str = "", limit: int = 50
    ) -> shapes.LetterPage:
        """List what was refused, newest first."""
        found: shapes.LetterPage = self.call(
            "GET",
            "/api/v1/dead-letters",
            query={"device_id": device_id, "reason": reason, "cursor": cursor, "limit": limit},
        )
        return found

    def each_dead_letters(
        self, *, device_id: str | None = None, reason: str | None = None, limit: int = 50
    ) -> Iterator[shapes.LetterOut]:
        """Go through all pages of `list_dead_letters`."""
        return self.pages(
            lambda cursor: self.list_dead_letters(
                cursor=cursor, device_id=device_id, reason=reason, limit=limit
            )
        )

    def get_health(self) -> shapes.HealthOut:
        """Say how each part of the platform is, as `doorstep status` does."""
        found: shapes.HealthOut = self.call("GET", "/api/v1/health")
        return found

    def list_audit(
        self,
        *,
        device: str = "",
        actor: str = "",
        action: str = "",
        since_us: int | None = None,
        until_us: int | None = None,
        staff: bool = False,
        cursor: str = "",
        limit: int = 50,
    ) -> shapes.DeedPage:
        """List who did what for the caller's organisation and to its devices, and which of the staff
        looked.
        """
        found: shapes.DeedPage = self.call(
            "GET",
            "/api/v1/audit",
            query={
                "device": device,
                "actor": actor,
                "action": action,
                "since_us": since_us,
                "until_us": until_us,
                "staff": staff,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return found

    def each_audit(
        self,
        *,
        device: str = "",
        actor: str = "",
        action: str = "",
        since_us: int | None = None,
        until_us: int | None = None,
        staff: bool = False,
        limit: int = 50,
    ) -> Iterator[shapes.DeedOut]:
        """Go through all pages of `list_audit`."""
        return self.pages(
            lambda cursor: self.list_audit(
                cursor=cursor,
                device=device,
                actor=actor,
                action=action,
                since_us=since_us,
                until_us=until_us,
                staff=staff,
                limit=limit,
            )
        )

    def list_people(self, *, cursor: str = "", limit: int = 50) -> shapes.PersonPage:
        """List who acts for the caller's organisation."""
        found: shapes.PersonPage = self.call(
            "GET", "/api/v1/people", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_people(self, *, limit: int = 50) -> Iterator[shapes.PersonOut]:
        """Go through all pages of `list_people`."""
        return self.pages(lambda cursor: self.list_people(cursor=cursor, limit=limit))

    def change_person(self, number: int, body: shapes.GrantIn) -> shapes.PersonOut:
        """Give a member another role or other groups. Only an owner makes or unmakes owners, no key an
        admin.
        """
        found: shapes.PersonOut = self.call("PUT", f"/api/v1/people/{_part(number)}", body=body)
        return found

    def remove_person(self, number: int) -> None:
        """End a membership, with effect on the next request."""
        self.call("DELETE", f"/api/v1/people/{_part(number)}")

    def invite(self, body: shapes.InviteIn, *, idempotency_key: str | None = None) -> shapes.InvitationOut:
        """Invite an address by mail; a newer invitation takes the place of one that waits."""
        found: shapes.InvitationOut = self.call(
            "POST", "/api/v1/invitations", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_invitations(self, *, cursor: str = "", limit: int = 50) -> shapes.InvitationPage:
        """List the invitations that wait."""
        found: shapes.InvitationPage = self.call(
            "GET", "/api/v1/invitations", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_invitations(self, *, limit: int = 50) -> Iterator[shapes.InvitationOut]:
        """Go through all pages of `list_invitations`."""
        return self.pages(lambda cursor: self.list_invitations(cursor=cursor, limit=limit))

    def withdraw_invitation(self, number: int) -> None:
        """Take an invitation back."""
        self.call("DELETE", f"/api/v1/invitations/{_part(number)}")

    def list_groups(self, *, cursor: str = "", limit: int = 50) -> shapes.GroupPage:
        """List the device groups that the caller sees."""
        found: shapes.GroupPage = self.call("GET", "/api/v1/groups", query={"cursor": cursor, "limit": limit})
        return found

    def each_groups(self, *, limit: int = 50) -> Iterator[shapes.GroupOut]:
        """Go through all pages of `list_groups`."""
        return self.pages(lambda cursor: self.list_groups(cursor=cursor, limit=limit))

    def make_group(self, body: shapes.GroupIn, *, idempotency_key: str | None = None) -> shapes.GroupOut:
        """Make a device group."""
        found: shapes.GroupOut = self.call(
            "POST", "/api/v1/groups", body=body, idempotency_key=idempotency_key
        )
        return found

    def rename_group(self, number: int, body: shapes.GroupIn) -> shapes.GroupOut:
        """Give a device group another name."""
        found: shapes.GroupOut = self.call("PUT", f"/api/v1/groups/{_part(number)}", body=body)
        return found

    def remove_group(self, number: int) -> None:
        """End a device group: who saw its devices through it alone sees them no more, and its keys end."""
        self.call("DELETE", f"/api/v1/groups/{_part(number)}")

    def put_into_group(self, number: int, device_id: str) -> None:
        """Put a device into a group. Asked again, nothing changes."""
        self.call("PUT", f"/api/v1/groups/{_part(number)}/devices/{_part(device_id)}")

    def take_out_of_group(self, number: int, device_id: str) -> None:
        """Take a device out of a group. Asked again, nothing changes."""
        self.call("DELETE", f"/api/v1/groups/{_part(number)}/devices/{_part(device_id)}")

    def list_webhooks(self, *, cursor: str = "", limit: int = 50) -> shapes.WebhookPage:
        """List the organisation's webhooks."""
        found: shapes.WebhookPage = self.call(
            "GET", "/api/v1/webhooks", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_webhooks(self, *, limit: int = 50) -> Iterator[shapes.WebhookOut]:
        """Go through all pages of `list_webhooks`."""
        return self.pages(lambda cursor: self.list_webhooks(cursor=cursor, limit=limit))

    def add_webhook(
        self, body: shapes.WebhookIn, *, idempotency_key: str | None = None
    ) -> shapes.WebhookMade:
        """Tell events to an address from now on; the secret in the answer signs them and is shown this
        once.
        """
        found: shapes.WebhookMade = self.call(
            "POST", "/api/v1/webhooks", body=body, idempotency_key=idempotency_key
        )
        return found

    def get_webhook(self, number: int) -> shapes.WebhookOut:
        """Return one webhook."""
        found: shapes.WebhookOut = self.call("GET", f"/api/v1/webhooks/{_part(number)}")
        return found

    def change_webhook(self, number: int, body: shapes.WebhookChange) -> shapes.WebhookOut:
        """Change a webhook, or enable it again. What happened while it was disabled was not kept for it."""
        found: shapes.WebhookOut = self.call("PUT", f"/api/v1/webhooks/{_part(number)}", body=body)
        return found

    def remove_webhook(self, number: int) -> None:
        """Remove a webhook and what waits for it."""
        self.call("DELETE", f"/api/v1/webhooks/{_part(number)}")

    def rotate_webhook_secret(self, number: int, *, idempotency_key: str | None = None) -> shapes.SecretOut:
        """Give a webhook a new signing secret."""
        found: shapes.SecretOut = self.call(
            "POST", f"/api/v1/webhooks/{_part(number)}/secret", idempotency_key=idempotency_key
        )
        return found

    def test_webhook(self, number: int, *, idempotency_key: str | None = None) -> shapes.ReplayOut:
        """Send a ``webhook.test`` event to this webhook alone."""
        found: shapes.ReplayOut = self.call(
            "POST", f"/api/v1/webhooks/{_part(number)}/test", idempotency_key=idempotency_key
        )
        return found

    def replay_webhook(
        self, number: int, body: shapes.ReplayIn, *, idempotency_key: str | None = None
    ) -> shapes.ReplayOut:
        """Deliver again, with the same ``webhook-id``: one event, or what did not arrive since a time."""
        found: shapes.ReplayOut = self.call(
            "POST", f"/api/v1/webhooks/{_part(number)}/replay", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_webhook_deliveries(
        self, number: int, *, state: shapes.DeliveryState | None = None, cursor: str = "", limit: int = 50
    ) -> shapes.DeliveryPage:
        """List what was told, or waits to be told, to a webhook; all, or what is in one state."""
        found: shapes.DeliveryPage = self.call(
            "GET",
            f"/api/v1/webhooks/{_part(number)}/deliveries",
            query={"state": state, "cursor": cursor, "limit": limit},
        )
        return found

    def each_webhook_deliveries(
        self, number: int, *, state: shapes.DeliveryState | None = None, limit: int = 50
    ) -> Iterator[shapes.DeliveryOut]:
        """Go through all pages of `list_webhook_deliveries`."""
        return self.pages(
            lambda cursor: self.list_webhook_deliveries(number, cursor=cursor, state=state, limit=limit)
        )

    def get_claim_policy(self, key: str) -> shapes.PolicyOut:
        """Return a product's claim policy, and who could claim its devices with what."""
        found: shapes.PolicyOut = self.call("GET", f"/api/v1/products/{_part(key)}/claim-policy")
        return found

    def set_claim_policy(self, key: str, body: shapes.PolicyIn) -> shapes.PolicyOut:
        """Give a product another claim policy. Claims that wait are judged by it; what was decided
        stays.
        """
        found: shapes.PolicyOut = self.call("PUT", f"/api/v1/products/{_part(key)}/claim-policy", body=body)
        return found

    def try_claim_policy(
        self, body: shapes.PolicyIn, *, idempotency_key: str | None = None
    ) -> shapes.TriedOut:
        """Say who could claim a device with what by a policy; nothing is stored."""
        found: shapes.TriedOut = self.call(
            "POST", "/api/v1/claim-policies/try", body=body, idempotency_key=idempotency_key
        )
        return found

    def advise(
        self,
        *,
        damage: Literal["nuisance", "service", "data", "control", "safety"],
        price: str,
        budget: str,
        units: int,
        chip: Literal["no-crypto", "aes", "tls", "secure-element"],
        sales: Literal["direct", "wholesale"],
        can_scan: bool,
        control: Literal["none", "button", "display"],
        line_online: bool,
        assume: list[str] | None = None,
    ) -> shapes.AdviceOut:
        """Recommend identity, onboarding and claim policy for a product, with their cost and residual
        risk.
        """
        found: shapes.AdviceOut = self.call(
            "GET",
            "/api/v1/advice",
            query={
                "damage": damage,
                "price": price,
                "budget": budget,
                "units": units,
                "chip": chip,
                "sales": sales,
                "can_scan": can_scan,
                "control": control,
                "line_online": line_online,
                "assume": assume,
            },
        )
        return found

    def list_claims(self, *, cursor: str = "", limit: int = 50) -> shapes.ClaimPage:
        """List the organisation's claims by serial or code, newest first."""
        found: shapes.ClaimPage = self.call("GET", "/api/v1/claims", query={"cursor": cursor, "limit": limit})
        return found

    def each_claims(self, *, limit: int = 50) -> Iterator[shapes.ClaimOut]:
        """Go through all pages of `list_claims`."""
        return self.pages(lambda cursor: self.list_claims(cursor=cursor, limit=limit))

    def open_claim(self, body: shapes.ClaimIn, *, idempotency_key: str | None = None) -> shapes.ClaimOut:
        """Claim a device, also one that was never online. The same claim again is the first one."""
        found: shapes.ClaimOut = self.call(
            "POST", "/api/v1/claims", body=body, idempotency_key=idempotency_key
        )
        return found

    def get_claim(self, number: int) -> shapes.ClaimOut:
        """Say how a claim stands, and what would help."""
        found: shapes.ClaimOut = self.call("GET", f"/api/v1/claims/{_part(number)}")
        return found

    def give_claim_code(
        self, number: int, body: shapes.CodeIn, *, idempotency_key: str | None = None
    ) -> shapes.ClaimOut:
        """Add the scratch-off code; one of another device opens that device's claim, which is answered."""
        found: shapes.ClaimOut = self.call(
            "POST", f"/api/v1/claims/{_part(number)}/code", body=body, idempotency_key=idempotency_key
        )
        return found

    def give_claim_order(
        self, number: int, body: shapes.OrderIn, *, idempotency_key: str | None = None
    ) -> shapes.ClaimOut:
        """Add the number of the order with which the device was sold."""
        found: shapes.ClaimOut = self.call(
            "POST", f"/api/v1/claims/{_part(number)}/order", body=body, idempotency_key=idempotency_key
        )
        return found

    def ask_buyer_by_mail(self, number: int, *, idempotency_key: str | None = None) -> shapes.ClaimOut:
        """Have the address asked that the seller's records hold, if they do; nothing tells whether they
        do.
        """
        found: shapes.ClaimOut = self.call(
            "POST", f"/api/v1/claims/{_part(number)}/mail", idempotency_key=idempotency_key
        )
        return found

    def report_label(self, number: int, *, idempotency_key: str | None = None) -> shapes.ClaimOut:
        """Say that the foil was off when the device came: from then on its code counts for nobody."""
        found: shapes.ClaimOut = self.call(
            "POST", f"/api/v1/claims/{_part(number)}/report-label", idempotency_key=idempotency_key
        )
        return found

    def bring_voucher(self, body: bytes, *, idempotency_key: str | None = None) -> shapes.VoucherOut:
        """Bring an ownership voucher for all its devices. The same voucher again changes nothing."""
        found: shapes.VoucherOut = self.call(
            "POST", "/api/v1/vouchers", content=("multipart/form-data", body), idempotency_key=idempotency_key
        )
        return found

    def find_device_grant(
        self, body: shapes.UserCodeIn, *, idempotency_key: str | None = None
    ) -> shapes.DeviceGrantOut:
        """Say which device shows a code, so that a person can compare it; nothing is answered to it."""
        found: shapes.DeviceGrantOut = self.call(
            "POST", "/api/v1/device-grants/find", body=body, idempotency_key=idempotency_key
        )
        return found

    def answer_device_grant(
        self, body: shapes.GrantAnswer, *, idempotency_key: str | None = None
    ) -> shapes.DeviceGrantOut:
        """Let the device that shows a code join the organisation, or turn it away."""
        found: shapes.DeviceGrantOut = self.call(
            "POST", "/api/v1/device-grants/answer", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_held_claims(self, *, cursor: str = "", limit: int = 50) -> shapes.HeldClaimPage:
        """List the claims that wait for somebody to look, newest first."""
        found: shapes.HeldClaimPage = self.call(
            "GET", "/api/v1/held-claims", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_held_claims(self, *, limit: int = 50) -> Iterator[shapes.HeldClaimOut]:
        """Go through all pages of `list_held_claims`."""
        return self.pages(lambda cursor: self.list_held_claims(cursor=cursor, limit=limit))

    def get_held_claim(self, number: int) -> shapes.HeldClaimDetail:
        """Return one of them with what was brought for it; it is not there once it waits no more."""
        found: shapes.HeldClaimDetail = self.call("GET", f"/api/v1/held-claims/{_part(number)}")
        return found

    def vouch_for_claim(
        self, number: int, body: shapes.VouchIn, *, idempotency_key: str | None = None
    ) -> shapes.DecisionOut:
        """Give the staff's word for a claimant, as evidence. The product's policy still decides."""
        found: shapes.DecisionOut = self.call(
            "POST", f"/api/v1/held-claims/{_part(number)}/vouch", body=body, idempotency_key=idempotency_key
        )
        return found

    def list_sites(self, *, cursor: str = "", limit: int = 50) -> shapes.SitePage:
        """List the sites; who is limited to groups sees those where their devices stand."""
        found: shapes.SitePage = self.call("GET", "/api/v1/sites", query={"cursor": cursor, "limit": limit})
        return found

    def each_sites(self, *, limit: int = 50) -> Iterator[shapes.SiteOut]:
        """Go through all pages of `list_sites`."""
        return self.pages(lambda cursor: self.list_sites(cursor=cursor, limit=limit))

    def add_site(self, body: shapes.SiteIn, *, idempotency_key: str | None = None) -> shapes.SiteOut:
        """Make a site."""
        found: shapes.SiteOut = self.call("POST", "/api/v1/sites", body=body, idempotency_key=idempotency_key)
        return found

    def get_site(self, number: int) -> shapes.SiteOut:
        """Return one site."""
        found: shapes.SiteOut = self.call("GET", f"/api/v1/sites/{_part(number)}")
        return found

    def change_site(self, number: int, body: shapes.SiteIn) -> shapes.SiteOut:
        """Change a site."""
        found: shapes.SiteOut = self.call("PUT", f"/api/v1/sites/{_part(number)}", body=body)
        return found

    def remove_site(self, number: int) -> None:
        """Take a site away; its devices stay and stand nowhere."""
        self.call("DELETE", f"/api/v1/sites/{_part(number)}")

    def place_device(self, device_id: str, body: shapes.PlaceIn) -> shapes.PlaceOut:
        """Say what a device is called, and at which site it stands."""
        found: shapes.PlaceOut = self.call("PUT", f"/api/v1/devices/{_part(device_id)}/place", body=body)
        return found

    def list_alerts(
        self, *, device_id: str | None = None, is_open: bool | None = None, cursor: str = "", limit: int = 50
    ) -> shapes.AlertPage:
        """List the alerts of the devices that the caller sees, newest first; all, or those that fit."""
        found: shapes.AlertPage = self.call(
            "GET",
            "/api/v1/alerts",
            query={"device_id": device_id, "is_open": is_open, "cursor": cursor, "limit": limit},
        )
        return found

    def each_alerts(
        self, *, device_id: str | None = None, is_open: bool | None = None, limit: int = 50
    ) -> Iterator[shapes.AlertOut]:
        """Go through all pages of `list_alerts`."""
        return self.pages(
            lambda cursor: self.list_alerts(cursor=cursor, device_id=device_id, is_open=is_open, limit=limit)
        )

    def list_thresholds(self, device_id: str, *, cursor: str = "", limit: int = 50) -> shapes.ThresholdPage:
        """List what is watched of a device."""
        found: shapes.ThresholdPage = self.call(
            "GET", f"/api/v1/devices/{_part(device_id)}/thresholds", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_thresholds(self, device_id: str, *, limit: int = 50) -> Iterator[shapes.ThresholdOut]:
        """Go through all pages of `list_thresholds`."""
        return self.pages(lambda cursor: self.list_thresholds(device_id, cursor=cursor, limit=limit))

    def add_threshold(
        self, device_id: str, body: shapes.ThresholdIn, *, idempotency_key: str | None = None
    ) -> shapes.ThresholdOut:
        """Watch a device from now on: a number that it sends, or its silence."""
        found: shapes.ThresholdOut = self.call(
            "POST",
            f"/api/v1/devices/{_part(device_id)}/thresholds",
            body=body,
            idempotency_key=idempotency_key,
        )
        return found

    def remove_threshold(self, device_id: str, number: int) -> None:
        """Watch for something no longer, and close its alert."""
        self.call("DELETE", f"/api/v1/devices/{_part(device_id)}/thresholds/{_part(number)}")

    def get_chart(
        self,
        device_id: str,
        *,
        span: Literal["hour", "day", "week", "month", "year"] = "day",
        name: list[str] | None = None,
    ) -> shapes.ChartOut:
        """Return lines for a chart, in this owner's time alone; roll-ups for a week and more."""
        found: shapes.ChartOut = self.call(
            "GET", f"/api/v1/devices/{_part(device_id)}/chart", query={"span": span, "name": name}
        )
        return found

    def get_readings_file(
        self, device_id: str, *, since: str, until: str, kind: Literal["csv", "parquet"] = "csv"
    ) -> bytes:
        """Return the readings of some days as a file, in this owner's time alone."""
        found: bytes = self.call(
            "GET",
            f"/api/v1/devices/{_part(device_id)}/readings/file",
            query={"since": since, "until": until, "kind": kind},
        )
        return found

    def list_activity(self, *, before_us: int | None = None, limit: int = 40) -> shapes.Activity:
        """List what happened to the devices that the caller sees, newest first."""
        found: shapes.Activity = self.call(
            "GET", "/api/v1/activity", query={"before_us": before_us, "limit": limit}
        )
        return found

    def get_summary(self) -> shapes.Summary:
        """Count the devices that the caller sees by how they are."""
        found: shapes.Summary = self.call("GET", "/api/v1/summary")
        return found

    def list_api_keys(self, *, cursor: str = "", limit: int = 50) -> shapes.ApiKeyPage:
        """List the organisation's keys, as a person who proved a moment ago who they are."""
        found: shapes.ApiKeyPage = self.call(
            "GET", "/api/v1/api-keys", query={"cursor": cursor, "limit": limit}
        )
        return found

    def each_api_keys(self, *, limit: int = 50) -> Iterator[shapes.ApiKeyOut]:
        """Go through all pages of `list_api_keys`."""
        return self.pages(lambda cursor: self.list_api_keys(cursor=cursor, limit=limit))

    def make_api_key(self, body: shapes.ApiKeyIn, *, idempotency_key: str | None = None) -> shapes.ApiKeyMade:
        """Make a key, as a person who proved a moment ago who they are. It is shown this once."""
        found: shapes.ApiKeyMade = self.call(
            "POST", "/api/v1/api-keys", body=body, idempotency_key=idempotency_key
        )
        return found

    def end_api_key(self, number: int) -> None:
        """End a key at once, as a person. Asked again, nothing changes."""
        self.call("DELETE", f"/api/v1/api-keys/{_part(number)}")


def _part(value: object) -> str:
    return quote(str(value), safe="")
