package hunt

import (
	"strings"
	"time"

	"capsize/cluster/trace"
)

// A state that lasts only briefly belongs to every change of leadership. One that lasts long takes
// more time than an election or a lease.
const (
	brief = 50 * time.Millisecond
	long  = time.Second
)

// lasting tells which dangerous states depend on how long something has lasted.
type lasting struct {
	twoSince time.Duration            // since when there have been two leaders, 0 if there are not
	commits  map[string]commitAt      // of each leader
	roles    map[string]trace.Role    // of each node
	deposed  map[string]time.Duration // when a leader has stepped down, until its main loop notices
}

// commitAt is when a leader has last committed an entry, or had none to commit.
type commitAt struct {
	index uint64
	at    time.Duration
}

func newLasting() lasting {
	return lasting{commits: map[string]commitAt{}, roles: map[string]trace.Role{}, deposed: map[string]time.Duration{}}
}

// see takes an event and the state after it.
func (l *lasting) see(e *trace.Event, s *trace.State) Signals {
	return l.leaders(e.At, s) | l.commit(e.At, s) | l.stepDown(e, s)
}

// leaders returns TwoLeaders once there have been two for more than a moment.
func (l *lasting) leaders(now time.Duration, s *trace.State) Signals {
	leaders := 0
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Process.Running() && n.Role == trace.Leader {
			leaders++
		}
	}
	switch {
	case leaders < 2:
		l.twoSince = 0
	case l.twoSince == 0:
		l.twoSince = now
	case now-l.twoSince > long:
		return TwoLeaders | TwoLeadersLong
	case now-l.twoSince > brief:
		return TwoLeaders
	}
	return 0
}

// commit returns CannotCommit if a leader has had entries to commit for long.
func (l *lasting) commit(now time.Duration, s *trace.State) (set Signals) {
	for i := range s.Nodes {
		n := &s.Nodes[i]
		last, known := l.commits[n.ID]
		switch {
		case n.Role != trace.Leader || n.Process != trace.Up || n.LastIndex() <= n.Commit:
			delete(l.commits, n.ID)
		case !known || n.Commit > last.index:
			l.commits[n.ID] = commitAt{n.Commit, now}
		case now-last.at > long:
			set |= CannotCommit
		}
	}
	return set
}

// stepDown returns HalfDeposed while a leader has stepped down without its main loop. That happens
// when a heartbeat, which the library handles beside it, brings a later term. A main loop that
// waits for its disk does not count: it accepts nothing.
func (l *lasting) stepDown(e *trace.Event, s *trace.State) Signals {
	switch {
	case e.Kind == trace.KindProcess:
		delete(l.deposed, e.Node)
		delete(l.roles, e.Node)
	case e.Kind == trace.KindRole:
		if l.roles[e.Node] == trace.Leader && e.Role == trace.Follower {
			l.deposed[e.Node] = e.At
		}
		l.roles[e.Node] = e.Role
	case e.Kind == trace.KindLogLine && strings.Contains(e.Text, "entering follower state"):
		delete(l.deposed, e.Node)
	}
	for id, at := range l.deposed {
		switch n := s.Node(id); {
		case n == nil || n.DiskFault != "" || n.Process != trace.Up:
			delete(l.deposed, id)
		case at < e.At:
			return HalfDeposed
		}
	}
	return 0
}
