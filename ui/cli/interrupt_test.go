package cli

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The first interrupt lets a command finish. One that does not, because its cluster is busy,
// ends all the same.
func TestInterruptEndsABusyCommand(t *testing.T) {
	for _, test := range []struct {
		what                    string
		interrupted, ends, busy bool
	}{
		{"a command that ends by itself", false, true, false},
		{"a command that an interrupt ends", true, true, false},
		{"a command that ignores the interrupt", true, false, true},
		{"a command that nobody interrupts", false, false, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			var gaveUp, stopped atomic.Bool // the command's goroutine sets them
			ended := endWithGrace(ctx, func() { stopped.Store(true); interrupt() }, func() { gaveUp.Store(true) })
			if test.interrupted {
				interrupt()
				synctest.Wait()
				if !stopped.Load() {
					t.Errorf("%s: the second interrupt would be ignored too", test.what)
				}
				time.Sleep(interruptGrace - time.Nanosecond)
				if gaveUp.Load() {
					t.Errorf("%s: it gets less time than it should", test.what)
				}
			}
			if test.ends {
				ended()
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if gaveUp.Load() != test.busy {
				t.Errorf("%s: the program is made to end: %v, want %v", test.what, gaveUp.Load(), test.busy)
			}
			ended()
			ended()
		})
	}
}
