package trace

import (
	"slices"
	"strings"
)

// waitingMax is how many waiting packets, and how many unanswered ones, a state keeps.
const waitingMax = 4096

// holdFault is the name of the link fault that makes packets wait.
const holdFault = "hold"

// isHold reports whether a fault of a link is a hold, of all kinds of messages or of some.
func isHold(fault string) bool { return fault == holdFault || strings.HasPrefix(fault, holdFault+" ") }

// Holds reports whether packets on the link wait until a user delivers them.
func (s *State) Holds(link Link) bool { return slices.ContainsFunc(s.Faults[link], isHold) }

// HoldsAny reports whether packets on any link wait until a user delivers them.
func (s *State) HoldsAny() bool {
	for link := range s.Faults {
		if s.Holds(link) {
			return true
		}
	}
	return false
}

// applyWait records a packet that came to wait, a deadline that begins to run for one, or an RPC
// whose deadline has passed. Sent is what the state knows of the packet, if it holds that.
func (s *State) applyWait(p *Packet, sent *InFlight) {
	if p.Status == Expired {
		for i := range s.Waiting {
			if s.Waiting[i].RPC == p.RPC {
				s.Waiting[i].Deadline = 0
			}
		}
		s.Unanswered = slices.DeleteFunc(s.Unanswered, func(f InFlight) bool { return f.RPC == p.RPC })
		return
	}
	for _, list := range [][]InFlight{s.Waiting, s.Unanswered} {
		if i := slices.IndexFunc(list, func(f InFlight) bool { return f.ID == p.ID }); i >= 0 {
			list[i].Deadline = p.Deadline
			return
		}
	}
	one := InFlight{Packet: *p, SentAt: s.At}
	if sent.ID == p.ID && sent.Status == Sent {
		sent.Held = true // it no longer arrives by itself
		one.SentAt = sent.SentAt
	}
	if len(s.Waiting) < waitingMax {
		s.Waiting = append(s.Waiting, one)
	}
}

// endWait removes a packet from those that wait. If it was dropped by hand, its caller may go on
// to wait for a reply; a delivered reply ends that.
func (s *State) endWait(p *Packet) {
	if p.Reply && p.Status == Delivered && len(s.Unanswered) > 0 {
		s.Unanswered = slices.DeleteFunc(s.Unanswered, func(f InFlight) bool { return f.RPC == p.RPC })
	}
	i := slices.IndexFunc(s.Waiting, func(f InFlight) bool { return f.ID == p.ID })
	if i < 0 {
		return
	}
	one := s.Waiting[i]
	s.Waiting = slices.Delete(s.Waiting, i, i+1)
	if p.Status == Lost && p.Why == DroppedByHand && !one.Duplicate && len(s.Unanswered) < waitingMax {
		one.Status, one.Why, one.EndedAt = Lost, p.Why, s.At
		s.Unanswered = append(s.Unanswered, one)
	}
}

// releaseWaiting forgets the packets of a link that is no longer held: they arrive by themselves.
func (s *State) releaseWaiting(link Link) {
	s.Waiting = slices.DeleteFunc(s.Waiting, func(f InFlight) bool { return f.From == link.From && f.To == link.To })
}

// PacketsInFlight returns the packets in flight, oldest first.
func (s *State) PacketsInFlight() []InFlight {
	var flying []InFlight
	for _, f := range s.InFlight {
		if f.ID != 0 && f.Status == Sent {
			flying = append(flying, f)
		}
	}
	slices.SortFunc(flying, func(a, b InFlight) int { return int(a.ID) - int(b.ID) })
	return flying
}
