package scenario

import (
	"encoding/json"
	"errors"
	"time"

	"capsize/cluster/trace"
)

// End is how a command ended.
type End struct {
	Op      trace.Op // the command's client operation, a pending one if it has none
	Refusal string   // why the command behind expect refused was refused, as expected
	Err     error
	At      time.Duration // virtual time
	Seq     uint64        // of the last event before the end
}

// writtenEnd is an End as JSON. An error is its text, and what callers ask of it: whether it is
// a refusal that try allows, and the expectation that did not hold.
type writtenEnd struct {
	Op      trace.Op      `json:"op"`
	Refusal string        `json:"refusal,omitempty"`
	Error   string        `json:"error,omitempty"`
	Tried   bool          `json:"tried,omitempty"`
	Failure *Failure      `json:"failure,omitempty"`
	At      time.Duration `json:"at"`
	Seq     uint64        `json:"seq"`
}

// MarshalJSON writes an end for another process.
func (e End) MarshalJSON() ([]byte, error) {
	written := writtenEnd{Op: e.Op, Refusal: e.Refusal, At: e.At, Seq: e.Seq}
	if e.Err != nil {
		written.Error, written.Tried = e.Err.Error(), IsTried(e.Err)
		_ = errors.As(e.Err, &written.Failure)
	}
	return json.Marshal(written)
}

// UnmarshalJSON reads what MarshalJSON has written. The error has the same text, and the same
// answers to [IsTried] and to errors.As for a [*Failure].
func (e *End) UnmarshalJSON(data []byte) error {
	var written writtenEnd
	if err := json.Unmarshal(data, &written); err != nil {
		return err
	}
	*e = End{Op: written.Op, Refusal: written.Refusal, At: written.At, Seq: written.Seq}
	if written.Error == "" {
		return nil
	}
	e.Err = endError{written.Error, written.Failure}
	if written.Tried {
		e.Err = triedError{e.Err}
	}
	return nil
}

// endError is the error of an end that was read.
type endError struct {
	text    string
	failure *Failure // nil for an error that is none
}

func (e endError) Error() string { return e.text }

func (e endError) Unwrap() error {
	if e.failure == nil {
		return nil
	}
	return e.failure
}
