// SPDX-License-Identifier: Apache-2.0

package insert

import (
	"errors"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// reason is why an insert has to be tried again.
type reason string

// Reasons, as they stand in weir_insert_retries_total.
const (
	away       reason = "away"       // no connection, or it broke, or no answer in time
	overloaded reason = "overloaded" // ClickHouse asks for a pause
	schema     reason = "schema"     // the tables are not migrated
	denied     reason = "denied"     // the user may not
	other      reason = "other"      // any other exception of ClickHouse
)

// reasons tells the exception codes of ClickHouse that need more than "tried again" in
// the log.
var reasons = map[int32]reason{
	159: overloaded, // TIMEOUT_EXCEEDED
	202: overloaded, // TOO_MANY_SIMULTANEOUS_QUERIES
	241: overloaded, // MEMORY_LIMIT_EXCEEDED
	243: overloaded, // NOT_ENOUGH_SPACE
	252: overloaded, // TOO_MANY_PARTS
	745: overloaded, // SERVER_OVERLOADED

	209: away, // SOCKET_TIMEOUT
	210: away, // NETWORK_ERROR
	236: away, // ABORTED: it is stopping
	242: away, // TABLE_IS_READ_ONLY: its keeper is away
	319: away, // UNKNOWN_STATUS_OF_INSERT
	394: away, // QUERY_WAS_CANCELLED
	999: away, // KEEPER_EXCEPTION

	16: schema, // NO_SUCH_COLUMN_IN_TABLE
	47: schema, // UNKNOWN_IDENTIFIER
	60: schema, // UNKNOWN_TABLE
	81: schema, // UNKNOWN_DATABASE

	164: denied, // READONLY
	452: denied, // SETTING_CONSTRAINT_VIOLATION
	497: denied, // ACCESS_DENIED
	516: denied, // AUTHENTICATION_FAILED
}

// refusals are the exception codes that blame a value of the block. ClickHouse answers the
// same to the same block, so no retry mends them.
var refusals = map[int32]string{
	69:  "ARGUMENT_OUT_OF_BOUND",
	128: "TOO_LARGE_ARRAY_SIZE",
	131: "TOO_LARGE_STRING_SIZE",
	321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
	349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
	407: "DECIMAL_OVERFLOW",
	469: "VIOLATED_CONSTRAINT",
}

// classify tells why an insert failed, and whether to leave it at that.
func classify(err error) (_ reason, permanent bool) {
	var exception *clickhouse.Exception
	var wrongSchema *schemaError
	switch {
	case errors.Is(err, errMalformed), errors.Is(err, errTextIndex):
		return other, true
	case errors.As(err, &wrongSchema):
		return schema, false
	case !errors.As(err, &exception):
		return away, false
	case refusals[exception.Code] != "":
		return other, true
	}
	if r, ok := reasons[exception.Code]; ok {
		return r, false
	}
	return other, false
}
