package history

import (
	"encoding/binary"
	"math"

	"capsize/cluster/trace"
)

// coder writes values into bytes, or reads them back. What a value consists of is
// described once, for both directions: a description calls the same methods
// whether it writes or reads. The bytes never leave the program, so that there is
// no version to them and nothing to mistrust.
//
// Values come in groups. A group begins with one bit for each of its values, in
// order, which says whether there is one: a zero is nothing but its bit. Numbers
// are written as the difference from one that was written before, where that is
// likely to be small.
type coder struct {
	buf     []byte
	at      int // where in buf to read on
	reading bool
	names   []string // that were written, for reading
	numbers *names   // for writing
	group   group
	last    last
	packet  *trace.Packet // where a packet is read to, nil for a new one
	packets *[SimilarSlots]trace.Packet
}

// SimilarSlots is the number of packets that are kept to write others as the
// difference from them.
const SimilarSlots = 1 << 7

// group is the group under way.
type group struct {
	bits  bits
	at    int // where in buf they stand
	bytes int // how many they take
}

// bits are the bits of a group, one for each value.
type bits uint64

// firstBit is the bit of the first value of a group.
const firstBit bits = 1

// next returns the bit of a value and goes on to the next one.
func (b *bits) next() bits {
	this := *b
	*b <<= 1
	return this
}

// last are the numbers that were written last, of each sort.
type last struct {
	seq, at                           uint64
	packet, rpc                       uint64
	term, index, value, op, opSeq, ns uint64
}

// Start begins a group, whose bits take so many bytes, and returns the one around it.
func (c *coder) begin(bytes int) (outer group) {
	outer = c.group
	c.group = group{bytes: bytes}
	var room [8]byte
	if c.reading {
		copy(room[:], c.buf[c.at:c.at+bytes])
		c.group.bits = bits(binary.LittleEndian.Uint64(room[:]))
		c.at += bytes
	} else {
		c.group.at = len(c.buf)
		c.buf = append(c.buf, room[:bytes]...)
	}
	return outer
}

// end ends the group and goes on with the one around it.
func (c *coder) end(outer group) {
	if !c.reading {
		var room [8]byte
		binary.LittleEndian.PutUint64(room[:], uint64(c.group.bits))
		copy(c.buf[c.group.at:], room[:c.group.bytes])
	}
	c.group = outer
}

// has says whether a value is there, which its bit tells.
func (c *coder) has(bit bits, present bool) bool {
	if c.reading {
		return c.group.bits&bit != 0
	}
	if present {
		c.group.bits |= bit
	}
	return present
}

// write writes a number in seven bits a byte.
func (c *coder) write(n uint64) {
	if n < 0x80 {
		c.buf = append(c.buf, byte(n))
		return
	}
	c.buf = binary.AppendUvarint(c.buf, n)
}

func (c *coder) read() uint64 {
	if b := c.buf[c.at]; b < 0x80 {
		c.at++
		return uint64(b)
	}
	n, size := binary.Uvarint(c.buf[c.at:])
	c.at += size
	return n
}

// zigzag makes a number that is small of one that is near zero, on either side.
func zigzag(n uint64) uint64 { return n<<1 ^ uint64(int64(n)>>63) }

func unzigzag(n uint64) uint64 { return n>>1 ^ -(n & 1) }

type integer interface{ ~int | ~int64 | ~uint64 }

// number is a number that is likely to be small.
func number[T integer](c *coder, bit bits, p *T) {
	if c.has(bit, *p != 0) {
		if c.reading {
			*p = T(unzigzag(c.read()))
		} else {
			c.write(zigzag(uint64(*p)))
		}
	}
}

// near is a number that is likely to be near the last of its sort.
func near[T integer](c *coder, bit bits, p *T, last *uint64) {
	if c.has(bit, *p != 0) {
		nearby(c, p, last)
	}
}

// nearby is near for a number that is known to be there.
func nearby[T integer](c *coder, p *T, last *uint64) {
	if c.reading {
		*last += unzigzag(c.read())
		*p = T(*last)
	} else {
		c.write(zigzag(uint64(*p) - *last))
		*last = uint64(*p)
	}
}

// same is a number that is likely to be the same as another one, and is written if
// it is not.
func same[T integer](c *coder, bit bits, p, other *T) {
	if c.has(bit, *p != *other) {
		if c.reading {
			*other += T(unzigzag(c.read()))
		} else {
			c.write(zigzag(uint64(*p - *other)))
			*other = *p
		}
	}
	if c.reading {
		*p = *other
	}
}

// sameName is a name that is likely to be the same as another one.
func sameName[T ~string](c *coder, bit bits, p, other *T) {
	if c.has(bit, *p != *other) {
		if c.reading {
			*other = T(c.names[c.read()])
		} else {
			c.write(c.numbers.number(string(*p)))
			*other = *p
		}
	}
	if c.reading {
		*p = *other
	}
}

func (c *coder) bool(bit bits, p *bool) {
	// What is written may be read by others at the same time, so it is left alone.
	if is := c.has(bit, *p); c.reading {
		*p = is
	}
}

func (c *coder) float(bit bits, p *float64) {
	bits := math.Float64bits(*p)
	if c.has(bit, bits != 0) {
		if c.reading {
			bits = binary.LittleEndian.Uint64(c.buf[c.at:])
			c.at += 8
			*p = math.Float64frombits(bits)
		} else {
			c.buf = binary.LittleEndian.AppendUint64(c.buf, bits)
		}
	}
}

// name is a string that comes again and again.
func name[T ~string](c *coder, bit bits, p *T) {
	if c.has(bit, *p != "") {
		if c.reading {
			*p = T(c.names[c.read()])
		} else {
			c.write(c.numbers.number(string(*p)))
		}
	}
}

// text is a string that is likely to be the only one of its kind.
func (c *coder) text(bit bits, p *string) {
	if c.has(bit, *p != "") {
		if c.reading {
			*p = string(c.bytesRead())
		} else {
			c.write(uint64(len(*p)))
			c.buf = append(c.buf, *p...)
		}
	}
}

func (c *coder) bytes(bit bits, p *[]byte) {
	if c.has(bit, *p != nil) {
		if c.reading {
			*p = append([]byte{}, c.bytesRead()...)
		} else {
			c.write(uint64(len(*p)))
			c.buf = append(c.buf, *p...)
		}
	}
}

// bytesRead returns as many bytes as the number before them says.
func (c *coder) bytesRead() []byte {
	size := int(c.read())
	c.at += size
	return c.buf[c.at-size : c.at]
}

// list is a slice, each element of which is described by one.
func list[T any](c *coder, bit bits, p *[]T, one func(*coder, *T)) {
	if !c.has(bit, *p != nil) {
		return
	}
	if c.reading {
		*p = make([]T, c.read())
	} else {
		c.write(uint64(len(*p)))
	}
	for i := range *p {
		one(c, &(*p)[i])
	}
}

// dictionary is a map, each key and value of which are described by one.
func dictionary[K comparable, V any](c *coder, bit bits, p *map[K]V, one func(*coder, *K, *V)) {
	if !c.has(bit, *p != nil) {
		return
	}
	if !c.reading {
		c.write(uint64(len(*p)))
		for k, v := range *p {
			one(c, &k, &v)
		}
		return
	}
	*p = map[K]V{}
	for range c.read() {
		var k K
		var v V
		one(c, &k, &v)
		(*p)[k] = v
	}
}

// names numbers strings, so that each is kept only once.
type names struct {
	all     []string
	numbers map[string]uint64
	// recent are the ones looked for lately, by a few of their bytes: it is a
	// handful of names that come all the time.
	recent [64]struct {
		name   string
		number uint64
	}
	size int64 // bytes that all takes
}

func (n *names) number(s string) uint64 {
	if s == "" {
		return n.search(s)
	}
	recent := &n.recent[(len(s)*5+int(s[0])+int(s[len(s)-1])*3)%len(n.recent)]
	if recent.name != s {
		recent.name, recent.number = s, n.search(s)
	}
	return recent.number
}

// search is number for a name that was not looked for lately.
func (n *names) search(s string) uint64 {
	number, ok := n.numbers[s]
	if !ok {
		if n.numbers == nil {
			n.numbers = map[string]uint64{}
		}
		number = uint64(len(n.all))
		n.numbers[s] = number
		n.all = append(n.all, s)
		n.size += stringBytes + int64(len(s))
	}
	return number
}

// stringBytes is what a string takes beside its bytes.
const stringBytes = 16
