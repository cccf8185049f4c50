"""The kinds of paper that have fields: the names of the fields of each, and the function that finds them on a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from pipeline.fields import invoice, receipt, vat_invoice
from pipeline.fields.papers import (
    air_ticket,
    bank_advice,
    bank_statement,
    contract,
    delivery_note,
    id_card,
    medical_bill,
    payment_receipt,
    payslip,
    ride_list,
    taxi_receipt,
    train_ticket,
)
from pipeline.fields.records import Find
from pipeline.models import Entity, Field, Page

FindAll = Callable[[Sequence[Page], Sequence[Entity]], tuple[list[Field], list[str]]]
"""Finds the fields of a document from all its pages, and what to warn about."""


class Kind(NamedTuple):
    """A kind of paper: its fields, in the order of the record, and how they are found.

    A kind with `find_all` needs all pages together: an invoice has its number on the first and its total on the last.
    """

    names: tuple[str, ...]
    find: Find
    find_all: FindAll | None = None


KINDS: Mapping[str, Kind] = {
    "invoice": Kind(invoice.NAMES, invoice.find, invoice.find_all),
    "credit_note": Kind(invoice.NAMES, invoice.find, invoice.find_all),
    "receipt": Kind(receipt.NAMES, receipt.find),
    "vat_invoice": Kind(vat_invoice.NAMES, vat_invoice.find),
    "train_ticket": Kind(train_ticket.NAMES, train_ticket.find),
    "air_ticket": Kind(air_ticket.NAMES, air_ticket.find),
    "taxi_receipt": Kind(taxi_receipt.NAMES, taxi_receipt.find),
    "ride_list": Kind(ride_list.NAMES, ride_list.find),
    "medical_bill": Kind(medical_bill.NAMES, medical_bill.find),
    "payment_receipt": Kind(payment_receipt.NAMES, payment_receipt.find),
    "bank_advice": Kind(bank_advice.NAMES, bank_advice.find),
    "bank_statement": Kind(bank_statement.NAMES, bank_statement.find),
    "payslip": Kind(payslip.NAMES, payslip.find),
    "id_card": Kind(id_card.NAMES, id_card.find),
    "contract": Kind(contract.NAMES, contract.find),
    "delivery_note": Kind(delivery_note.NAMES, delivery_note.find),
}
"""By document type; a document of another type has no fields."""
