package trace

import (
	"fmt"
	"time"
)

// Seconds writes a duration as people say it.
func Seconds(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
}
