package ui

import (
	"time"

	"capsize/cluster/trace"
)

const (
	// autoSlow is how fast time runs where something happens, if the speed is left
	// to what happens.
	autoSlow = 0.1
	// autoHold is for how long in virtual time it runs so.
	autoHold = 300 * time.Millisecond
)

// isStirring says whether an event is one to slow down for: an election, a life
// that begins or ends, a log that is cut off, a broken promise.
func isStirring(e *trace.Event) bool {
	switch e.Kind {
	case trace.KindProcess, trace.KindRole, trace.KindVote, trace.KindTruncated, trace.KindInstalled:
		return true
	case trace.KindVerdict:
		return e.Verdict == trace.VerdictViolated
	default:
		return false
	}
}

// brake slows the clock down at once, on the cluster's goroutines: at full speed
// an election is over before the next frame.
func (w *watch) brake(e *trace.Event) {
	w.stirred.Store(int64(e.At))
	if w.auto.Load() && w.clock.Speed() > autoSlow {
		w.clock.Run(autoSlow)
	}
}

// pace returns how fast what is shown moves: what was chosen or, where something
// happens and the speed is left to that, slowly.
func (m *model) pace() float64 {
	chosen := speeds[m.speed]
	if !m.auto || chosen <= autoSlow {
		return chosen
	}
	at, stirred := m.moment().At, time.Duration(0)
	if m.travel.past {
		stirred = m.travel.stirred
	} else if m.watch != nil {
		stirred = time.Duration(m.watch.stirred.Load())
	}
	if stirred > 0 && at-stirred < autoHold {
		return autoSlow
	}
	return chosen
}

// keepPace has the clock run as it should at this moment.
func (m *model) keepPace() {
	if m.cluster == nil {
		return
	}
	want := m.pace()
	if m.paused || m.travel.past {
		want = 0
	}
	if clock := m.cluster.Clock(); clock.Speed() != want {
		clock.Run(want)
	}
}

// setAuto leaves the speed to what happens, or not.
func (m *model) setAuto(on bool) {
	m.auto = on
	if m.watch != nil {
		m.watch.auto.Store(on)
	}
	m.setSpeed()
}

func (m *model) toggleAuto() {
	m.setAuto(!m.auto)
	if m.auto {
		m.say("speed auto", "slow where something happens, else "+speedText(speeds[m.speed]), false)
		return
	}
	m.say("speed "+speedWord(speeds[m.speed]), "the same speed all the time", false)
}

// untilStir returns the first moment to slow down for after the one shown and up
// to another, or that one if there is none.
func (m *model) untilStir(to trace.Position) trace.Position {
	m.history.Significant(m.travel.seq+1, to.Seq, func(e *trace.Event) bool {
		if isStirring(e) {
			to = trace.Position{Seq: e.Seq, At: e.At}
			m.travel.stirred = e.At
			return false
		}
		return true
	})
	return to
}
