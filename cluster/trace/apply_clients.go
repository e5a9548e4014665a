package trace

import "slices"

func (s *State) applyInvoked(op *Op) {
	s.Clients.InFlight++
	if op == nil {
		return
	}
	if len(s.Clients.Pending) == pendingMax {
		s.Clients.Pending = slices.Delete(s.Clients.Pending, 0, 1)
	}
	s.Clients.Pending = append(s.Clients.Pending, *op)
	s.Clients.Pending[len(s.Clients.Pending)-1].CallSeq = s.Seq
}

func (s *State) applyReturned(op Op) {
	s.Clients.InFlight = max(0, s.Clients.InFlight-1)
	op.CallSeq, op.ReturnSeq = 0, s.Seq
	if i := slices.IndexFunc(s.Clients.Pending, func(p Op) bool { return p.ID == op.ID }); i >= 0 {
		op.CallSeq = s.Clients.Pending[i].CallSeq
		s.Clients.Pending = slices.Delete(s.Clients.Pending, i, i+1)
	}
	switch op.Outcome {
	case OK:
		s.Clients.countOK(s.At)
	case Failed:
		s.Clients.Failed++
	case Unknown:
		s.Clients.Unknown++
	case Pending:
	}
	if len(s.Clients.Recent) == opsMax {
		s.Clients.Recent = s.Clients.Recent[1:]
	}
	s.Clients.Recent = append(s.Clients.Recent, op)
}

// applyLogLine records a line of the library's own log, if its node is known.
func (s *State) applyLogLine(e *Event) {
	n := s.Node(e.Node)
	if n == nil {
		return
	}
	if len(n.LogLines) == logLinesMax {
		n.LogLines = n.LogLines[1:]
	}
	n.LogLines = append(n.LogLines, LogLine{At: e.At, Text: e.Text})
}
