package ui

import (
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/ui/pane"
	"capsize/ui/source"
)

// speedControl is how fast the clock is to run.
type speedControl struct {
	speed  int  // index into speeds
	paused bool // the live cluster is paused
	held   bool // the terminal belongs to the shell
	auto   bool // the clock slows down by itself at notable events
	meter  speedMeter
}

// speeds are the speeds that the keys choose from, in virtual seconds per second.
var speeds = []float64{0.01, 1.0 / 30, 0.1, 1.0 / 3, 1, 3, 10, 30, 100, vtime.Max}

// nearest returns the closest of the speeds.
func nearest(speed float64) float64 {
	best := 1.0
	if speed <= 0 {
		return best
	}
	for _, s := range speeds {
		if max(s/speed, speed/s) < max(best/speed, speed/best) {
			best = s
		}
	}
	return best
}

// setSpeed applies the chosen speed to the clock.
func (m *model) setSpeed() {
	m.meter = speedMeter{}
	m.Run(m.clockSpeed())
}

// clockSpeed returns the speed at which the cluster's clock must run now.
func (m *model) clockSpeed() float64 {
	if m.paused || m.held || m.starting || m.hand.look.open || m.travel.past || m.coursed() {
		return 0
	}
	return m.pace()
}

// speedMeter measures how fast virtual time really passes.
type speedMeter struct {
	at      time.Time // when the last reading began
	virtual time.Duration
	speed   float64 // virtual seconds per second, 0 while unknown
}

// calm finds out whether a picture can be left out: where time is real, drawing costs processor time
// that the nodes could use, and a cluster that does nothing but heartbeats needs half the pictures.
type calm struct {
	news  news
	since time.Time // nothing has happened
	rests bool      // the last picture was left out
}

// calmAfter is how long nothing happens before a cluster is calm. Whatever moves has ended by then.
const calmAfter = time.Second

// news changes with whatever happens in a cluster, except heartbeats.
type news struct {
	story, ops, logs uint64
}

func newsOf(s *trace.State) (n news) {
	if last := len(s.Story); last > 0 {
		n.story = s.Story[last-1].Seq
	}
	n.ops = s.Clients.OK + s.Clients.Failed + s.Clients.Unknown + uint64(s.Clients.InFlight)
	for i := range s.Nodes {
		n.logs += s.Nodes[i].LastIndex() + s.Nodes[i].Commit + s.Nodes[i].Applied
	}
	return n
}

// leavesOut reports whether the picture at a moment can be left out: every other one, once the cluster
// is calm.
func (c *calm) leavesOut(n news, at time.Time) bool {
	if n != c.news {
		c.news, c.since = n, at
	}
	c.rests = !c.rests && at.Sub(c.since) > calmAfter
	return c.rests
}

// meterEvery is how long a reading lasts.
const meterEvery = time.Second

// read reads both clocks, once a frame.
func (mt *speedMeter) read(now time.Time, virtual time.Duration, paused bool) {
	passed := now.Sub(mt.at)
	switch {
	case paused, mt.at.IsZero():
		*mt = speedMeter{at: now, virtual: virtual}
	case passed >= meterEvery:
		*mt = speedMeter{at: now, virtual: virtual, speed: (virtual - mt.virtual).Seconds() / passed.Seconds()}
	}
}

// shortfall returns the speed reached if it is clearly below the requested one, else 0.
func (mt *speedMeter) shortfall(asked float64) float64 {
	if mt.speed >= 1 && mt.speed < asked*0.9 {
		return mt.speed
	}
	return 0
}

// pace returns how fast the picture moves: the chosen speed or, with the automatic speed,
// slowly around notable events.
func (m *model) pace() float64 {
	if m.IsRealTime() && !m.travel.past {
		return 1
	}
	chosen := speeds[m.speed]
	if !m.auto || chosen <= source.AutoSlow {
		return chosen
	}
	at, stirred := m.moment().At, time.Duration(0)
	if m.travel.past {
		stirred = m.travel.notableAt
	} else if m.Watch != nil {
		stirred = time.Duration(m.Watch.NotableAt.Load())
	}
	if stirred > 0 && at-stirred < source.AutoHold {
		return source.AutoSlow
	}
	return chosen
}

// syncSpeed makes the clock run at the current pace.
func (m *model) syncSpeed() {
	if want := m.clockSpeed(); m.IsLive() && m.Engine.Speed() != want {
		m.Run(want)
	}
}

// setAuto switches the automatic speed.
func (m *model) setAuto(on bool) {
	m.auto = on
	if m.Watch != nil {
		m.Watch.Auto.Store(on)
	}
	m.setSpeed()
}

// timeIsReal answers the keys that stop the clock or set its speed, over processes.
const timeIsReal = "time is real over processes, so nothing stops it or changes its speed: press , to look back"

// rejectIfRealTime reports whether the clock of the moment shown is real, and says so. The past
// plays at any speed.
func (m *model) rejectIfRealTime() bool {
	if !m.IsRealTime() || m.travel.past {
		return false
	}
	m.setToast("", timeIsReal, true)
	return true
}

func (m *model) toggleAuto() {
	if m.rejectIfRealTime() {
		return
	}
	m.setAuto(!m.auto)
	if m.auto {
		m.setToast("speed auto", "slow at events, otherwise "+pane.SpeedText(speeds[m.speed]), false)
		return
	}
	m.setToast("speed "+pane.SpeedWord(speeds[m.speed]), "constant speed", false)
}

// nextNotable returns the first notable moment after the one shown and up to to, or to.
func (m *model) nextNotable(to trace.Position) trace.Position {
	m.History.Significant(m.travel.seq+1, to.Seq, func(e *trace.Event) bool {
		if source.IsNotable(e) {
			to = trace.Position{Seq: e.Seq, At: e.At}
			m.travel.notableAt = e.At
			return false
		}
		return true
	})
	return to
}
