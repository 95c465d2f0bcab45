"""What is where and why we believe it: layers, evidence, measures, exchanges.

The catalogue itself is :func:`layers.catalogue.catalogue`; candidate solar areas are
made by :mod:`layers.solar`.
"""

from layers.arithmetic import Reading, Repayment
from layers.catalogue import Layer, load, load_table, raster_path
from layers.database import sql
from layers.errors import (
    DamagedFileError,
    EvidenceError,
    ExchangeError,
    ExtraMissingError,
    FetchError,
    ImportRefusedError,
    LayerNotFoundError,
    QueryError,
    ReadError,
    RequestError,
    SchemaError,
    WriteError,
)
from layers.evidence import (
    Assessment,
    Claim,
    Corroboration,
    Source,
    claims,
    corroboration,
    origins,
    sources,
)
from layers.exchange import Exchange, load_exchange
from layers.exchange_file import exchange_ids
from layers.export.writing import Written, write
from layers.fetching import PublicFile, fetch
from layers.importing.drafts import draft_mapping
from layers.importing.mapping import Mapping, read_mapping
from layers.importing.reader import Imported, import_file, read
from layers.importing.report import ImportReport
from layers.ranges import Range
from layers.reading import read_layer
from layers.sanctions import measures
from layers.schema import check_features
from layers.units import MeasureWarning

__all__ = [
    "Assessment",
    "Claim",
    "Corroboration",
    "DamagedFileError",
    "EvidenceError",
    "Exchange",
    "ExchangeError",
    "ExtraMissingError",
    "FetchError",
    "ImportRefusedError",
    "ImportReport",
    "Imported",
    "Layer",
    "LayerNotFoundError",
    "Mapping",
    "MeasureWarning",
    "PublicFile",
    "QueryError",
    "Range",
    "ReadError",
    "Reading",
    "Repayment",
    "RequestError",
    "SchemaError",
    "Source",
    "WriteError",
    "Written",
    "check_features",
    "claims",
    "corroboration",
    "draft_mapping",
    "exchange_ids",
    "fetch",
    "import_file",
    "load",
    "load_exchange",
    "load_table",
    "measures",
    "origins",
    "raster_path",
    "read",
    "read_layer",
    "read_mapping",
    "sources",
    "sql",
    "write",
]
