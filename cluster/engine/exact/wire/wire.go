// Package wire is what the exact engine and its guest must agree on.
package wire

import (
	"time"

	"capsize/cluster/trace"
)

// Tick is how much virtual time passes in one call. Orders come between two ticks, so that a run
// depends on the tick at which an order comes, but not on how fast the host lets time pass.
const Tick = 20 * time.Millisecond

// GCPercent is how much the guest's heap grows before garbage is collected.
const GCPercent = 400

// Config is the cluster to open.
type Config struct {
	Nodes    int            `json:"nodes"`
	Settings trace.Settings `json:"settings"`
	Attended bool           `json:"attended"`
}
