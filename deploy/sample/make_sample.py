#!/usr/bin/env python3
"""Makes people.jsonl: a thousand people who do not exist, for trying Hizo out.

    ./make_sample.py > people.jsonl

Always the same bytes: every choice comes from a hash of a counter, not from
Python's random module. Only the standard library is used. What the people are
like is written in README.md; the names and places are in sample_data.py.
"""

import hashlib
import json
import sys
import unicodedata

sys.dont_write_bytecode = True

from sample_data import DOMAINS, FIELDS_OF_WORK, IDN_DOMAINS, LANDS

PEOPLE = 1000
FISCAL_YEARS = (2023, 2024, 2025)  # each ends on 31 March of the next year
PLANS = {"free": 0, "standard": 1200, "team": 4800, "enterprise": 24000}


class Choices:
    """A stream of choices that depends on nothing but its name."""

    def __init__(self, name):
        self.name = name
        self.count = 0

    def below(self, bound):
        self.count += 1
        digest = hashlib.sha256(f"{self.name}/{self.count}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % bound

    def of(self, items):
        return items[self.below(len(items))]

    def percent(self, chance):
        return self.below(100) < chance


def full_width(text):
    """Digits and hyphens as a Japanese keyboard types them."""
    return "".join(
        chr(ord(c) + 0xFEE0) if c.isdigit() else "－" if c == "-" else c for c in text
    )


class Unique:
    """Hands out each value once."""

    def __init__(self):
        self.seen = set()
        self.next_phone = {}

    def take(self, value):
        key = unicodedata.normalize("NFKC", value).lower()
        if key in self.seen:
            return False
        self.seen.add(key)
        return True

    def phone(self, choices, land, kind):
        """A number of the land's fictitious range, written in one of its ways.

        A form is text with a # for each digit of the running number."""
        forms = land[kind]
        number = self.next_phone.get((land["country"], kind), 0)
        self.next_phone[land["country"], kind] = number + 1
        form = choices.of(forms)
        prefixes = land.get(kind + "_prefixes")
        if prefixes:
            size = 10 ** form.count("#")
            form = form.replace("@", prefixes[number // size])
            number %= size
        digits = str(number).zfill(form.count("#"))
        assert len(digits) == form.count("#"), "the range is used up"
        for digit in digits:
            form = form.replace("#", digit, 1)
        if land["country"] == "JP" and choices.percent(15):
            form = full_width(form)
        return form


def email_of(choices, unique, who, number):
    """An address in one of the reserved example domains, never twice."""
    given, family = who["given"], who["family"]
    local = choices.of(
        (
            f"{given}.{family}",
            f"{given}_{family}{number % 100}",
            f"{given[0]}{family}",
            f"{family}{number}",
            f"{given}.{family}+{choices.of(('news', 'hizo', 'shop'))}",
        )
    )
    if choices.percent(8):
        local = local.title()
    domain = choices.of(IDN_DOMAINS) if choices.percent(12) else choices.of(DOMAINS)
    address = f"{local}@{domain}"
    if not unique.take(address):
        address = f"{given}.{family}.{number}@{domain}"
        assert unique.take(address)
    return address


def letters(text):
    """What may stand in a handle: letters and marks, no variation selectors."""
    return "".join(
        c
        for c in text.lower()
        if unicodedata.category(c)[0] in "LM" and not 0xE0100 <= ord(c) <= 0xE01EF
    )


def username_of(choices, unique, who, number):
    given, family = who["given"], who["family"]
    native = f"{letters(who['given_native'])}_{letters(who['family_native'])}"
    latin = (f"{given}{family}", f"{given}.{family}", f"{family}_{given[0]}")
    handle = native if choices.percent(10) else choices.of(latin)
    if not unique.take(handle):
        handle = f"{handle}{number}"
        assert unique.take(handle)
    return handle


def address_of(choices, land, place):
    region, locality, postal = land["places"][place]
    for _ in range(postal.count("#")):
        postal = postal.replace("#", str(choices.below(10)), 1)
    street = choices.of(land["streets"]).replace("{n}", str(1 + choices.below(98)))
    lines = [street.replace("{m}", str(1 + choices.below(9)))]
    if choices.percent(25):
        lines.append(choices.of(land["buildings"]))
    address = {"country": land["country"]}
    address |= {"postal_code": postal} if postal else {}
    address |= {"region": region} if region else {}
    return address | {"locality": locality, "lines": lines}


def luhn(digits):
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value // 10 + value % 10
    return total % 10 == 0


def tax_number_of(choices, land):
    """Shaped like the land's, and never like a card number."""
    while True:
        number = land["tax_number"]
        for _ in range(number.count("#")):
            number = number.replace("#", str(choices.below(10)), 1)
        if not luhn([c for c in number if c.isdigit()]):
            return number


def invoices_of(choices, land, billing, price, number):
    """Up to two invoices in each fiscal year."""
    first = choices.below(len(FISCAL_YEARS))
    for year in FISCAL_YEARS[first:]:
        for part in range(1 + (choices.below(5) == 0)):
            month = 4 + choices.below(12)
            day = 1 + choices.below(28)
            if choices.percent(6):
                month, day = 15, 31  # the last day of the fiscal year
            date = f"{year + month // 13}-{(month - 1) % 12 + 1:02}-{day:02}"
            amount = price * land["unit"] * (1 + choices.below(3))
            fields = {
                "invoice_number": f"INV-{year}-{number:04}-{part + 1}",
                "invoice_date": date,
                "amount": money(land, amount),
                "tax_amount": money(land, amount * land["tax_percent"] // 100),
                "invoice_name": billing["billing_name"],
                "payment_status": "paid",
            }
            if choices.percent(30):
                fields["invoice_address"] = billing["billing_address"]
            fate = choices.below(20)
            if fate == 0:
                fields["payment_status"] = "open"
            else:
                paid_at = f"{date}T{9 + fate // 2:02}:{fate * 2:02}:00Z"
                fields["payment_at"] = {"timestamp": paid_at}
            if fate == 1:
                fields |= {"payment_status": "refunded", "refund": money(land, amount)}
            yield {"event_time": f"{date}T00:00:00Z", "fields": fields}


def money(land, amount):
    return {"currency": land["currency"], "minor_units": amount}


def billing_of(choices, land, who, number):
    kind = choices.of(("card", "card", "card", "bank_transfer", "convenience_store"))
    billing = {"payment_method_type": kind}
    if kind == "card":
        token = hashlib.sha256(f"token/{number}".encode()).hexdigest()
        billing["payment_token"] = "tok_" + token[:24].translate(
            str.maketrans("0123456789", "ghijklmnop")
        )
        billing["card_brand"] = choices.of(("visa", "mastercard", "jcb", "amex"))
        billing["card_last4"] = f"{choices.below(10000):04}"
        billing["card_expiry"] = f"{1 + choices.below(12):02}/{27 + choices.below(5)}"
    billing["billing_name"] = who["company"] or who["name"]
    billing["billing_address"] = who["address"]
    if choices.percent(20):
        elsewhere = choices.below(len(land["places"]))
        billing["billing_address"] = address_of(choices, land, elsewhere)
    if choices.percent(40):
        billing["billing_email"] = f"billing+{number}@{choices.of(DOMAINS)}"
    if who["company"]:
        billing["tax_registration_number"] = tax_number_of(choices, land)
    return billing


def profile_of(choices, unique, land, who):
    profile = {"full_name": who["name"]}
    if who["company"]:
        profile["company_name"] = who["company"]
    if choices.percent(45):
        profile["phone_number"] = unique.phone(choices, land, "landline")
    if choices.percent(80):
        profile["mobile_phone_number"] = unique.phone(choices, land, "mobile")
    if choices.percent(85):
        profile["postal_address"] = who["address"]
    return profile


def account_of(choices, unique, who, plan, number):
    account = {
        "username": username_of(choices, unique, who, number),
        "email": email_of(choices, unique, who, number),
        "caller_reference": f"C-{number:06}",
    }
    if choices.percent(90):
        account["residency"] = who["residency"]
    account["subscription_plan"] = plan
    account["subscription_status"] = choices.of(("active",) * 8 + ("paused", "cancelled"))
    if choices.percent(70):
        account["declared_use"] = choices.of(("business", "research"))
    if choices.percent(95):
        account["age_attestation"] = True
    return account


def who_of(choices, land):
    """What the records of a person share."""
    given_native, given = choices.of(land["given"])
    family_native, family = choices.of(land["family"])
    place = choices.below(len(land["places"]))
    name = land["order"].format(given=given_native, family=family_native)
    work = choices.of(FIELDS_OF_WORK)
    company = land["company"].format(family=family_native, work=work)
    return {
        "given_native": given_native,
        "given": given,
        "family_native": family_native,
        "family": family,
        "name": land["long_name"] if choices.percent(3) else name,
        "company": company if choices.percent(30) else None,
        "residency": land["residency"][place],
        "address": address_of(choices, land, place),
    }


def person(unique, number):
    choices = Choices(f"person/{number}")
    land = choices.of([land for land in LANDS for _ in range(land["weight"])])
    who = who_of(choices, land)
    plan = choices.of(("free", "free", "standard", "standard", "team", "enterprise"))
    records = {
        "account": account_of(choices, unique, who, plan, number),
        "profile": profile_of(choices, unique, land, who),
    }
    if PLANS[plan] > 0:
        billing = billing_of(choices, land, who, number)
        invoices = invoices_of(choices, land, billing, PLANS[plan], number)
        records |= {"billing": billing, "transaction": list(invoices)}
    return records


def main():
    unique = Unique()
    for number in range(1, PEOPLE + 1):
        line = json.dumps(
            person(unique, number), ensure_ascii=False, separators=(",", ":")
        )
        sys.stdout.buffer.write(line.encode() + b"\n")


if __name__ == "__main__":
    main()
