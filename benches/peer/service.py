"""What one would otherwise write: the same upload route with FastAPI, pydantic and asyncpg.

Before: `vitals simulate`, as with the real service. After: the same table, with its key, index and trigger.
Promise: answered after the commit; the same names, ranges and rules for what was not measured; PEER_WRITE chooses how rows go in:
`insert` (one statement a request, ON CONFLICT DO NOTHING) or `copy` (COPY, and where a row is known already, as `insert`).
It writes no account, keeps no rejects and tells nobody; an item that cannot be stored refuses its upload.
"""

import os
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import FastAPI, Request
from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, model_validator

ZONE = ZoneInfo("Asia/Shanghai")
NOT_MEASURED = {0, 0.0, "0", "0.0", "", "null", None}
NOTHING = {"", "null", None}

measured = BeforeValidator(lambda value: None if value in NOT_MEASURED else value)
sent = BeforeValidator(lambda value: None if value in NOTHING else value)


def at(value):
    """A time without a zone is one of the devices' zone."""
    if isinstance(value, str) and not value.isdigit():
        value = datetime.fromisoformat(value)
        return value if value.tzinfo else value.replace(tzinfo=ZONE)
    seconds = float(value)
    return datetime.fromtimestamp(seconds / 1000 if seconds > 9_999_999_999 else seconds, ZONE)


def named(*names, **bounds):
    return Field(default=None, validation_alias=AliasChoices(*names), **bounds)


Id = Annotated[int | None, measured]
Vital = Annotated[int | None, measured]
Total = Annotated[Decimal | None, sent]
Place = Annotated[float | None, sent]


class Item(BaseModel):
    """One sample, as a watch sends it."""

    device_sn: str = Field(validation_alias=AliasChoices("deviceSn", "device_sn", "id"), min_length=1, max_length=64)
    ts: Annotated[datetime, BeforeValidator(at)] = Field(validation_alias=AliasChoices("timestamp", "cjsj"))
    customer_id: Id = named("customerId", "customer_id")
    org_id: Id = named("orgId", "org_id")
    user_id: Id = named("userId", "user_id")
    heart_rate: Vital = named("heart_rate", "heartRate", "xlv", ge=1, le=300)
    blood_oxygen: Vital = named("blood_oxygen", "bloodOxygen", "xy", ge=1, le=100)
    temperature: Annotated[Decimal | None, measured] = named("body_temperature", "temperature", "tw", ge=10, le=50)
    pressure_high: Vital = named("blood_pressure_systolic", "pressureHigh", "pressure_high", "gxy", ge=1, le=350)
    pressure_low: Vital = named("blood_pressure_diastolic", "pressureLow", "pressure_low", "dxy", ge=1, le=250)
    stress: Vital = named("stress", "yl", ge=1, le=100)
    step: Annotated[int | None, sent] = named("step", "bs", ge=0, le=300_000)
    distance: Total = named("distance", "jl", ge=0, le=1_000_000)
    calorie: Total = named("calorie", "rl", ge=0, le=100_000_000)
    latitude: Place = named("latitude", "wd", ge=-90, le=90)
    longitude: Place = named("longitude", "jd", ge=-180, le=180)
    altitude: Place = named("altitude", "hb", ge=-1_000, le=20_000)
    upload_method: Annotated[str | None, sent] = named("upload_method", "uploadMethod")

    @model_validator(mode="after")
    def without_a_fix_there_is_no_position(self):
        if not self.latitude and not self.longitude:
            self.latitude = self.longitude = None
        return self


class Upload(BaseModel):
    data: Item | list[Item]


COLUMNS = tuple(Item.model_fields)
TYPES = (
    "text timestamptz bigint bigint bigint smallint smallint numeric smallint smallint smallint integer numeric numeric "
    "float8 float8 float8 text"
).split()
INSERT = (
    f"insert into health_data ({', '.join(COLUMNS)}) select * from unnest("
    + ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(TYPES, 1))
    + ") on conflict (device_sn, ts) do nothing"
)


@asynccontextmanager
async def lifespan(app):
    async with asyncpg.create_pool(os.environ["PEER_DATABASE_URL"], min_size=10, max_size=10) as app.state.pool:
        yield


app = FastAPI(lifespan=lifespan)
copies = os.environ["PEER_WRITE"] == "copy"


@app.post("/upload_health_data")
async def upload_health_data(upload: Upload, request: Request):
    items = upload.data if isinstance(upload.data, list) else [upload.data]
    latest = datetime.now(ZONE) + timedelta(days=1)
    rows = [tuple(getattr(item, column) for column in COLUMNS) for item in items if item.ts <= latest]
    async with request.app.state.pool.acquire() as connection:
        stored = await store(connection, rows)
    return {
        "status": "success",
        "message": "数据已接收并处理",
        "details": {"success": stored, "duplicate": len(rows) - stored, "error": len(items) - len(rows)},
        "errors": [],
    }


async def store(connection, rows):
    """Rows that are new; all are committed."""
    if copies:
        try:
            await connection.copy_records_to_table("health_data", records=rows, columns=COLUMNS)
            return len(rows)
        except asyncpg.UniqueViolationError:
            pass
    status = await connection.execute(INSERT, *map(list, zip(*rows)))
    return int(status.rpartition(" ")[2])
