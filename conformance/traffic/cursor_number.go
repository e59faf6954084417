package traffic

// number goes past a number, and returns it if it is an integer of at most nine digits; plain says so.
func (c *cursor) number() (value int, plain bool) {
	c.next()
	b, i := c.b, c.i
	negative := i < len(b) && b[i] == '-'
	if negative {
		i++
	}
	start := i
	for ; i < len(b) && isDigit(b[i]); i++ {
		if i-start < 9 {
			value = value*10 + int(b[i]-'0')
		}
	}
	if i == start || i-start > 1 && b[start] == '0' {
		c.bad = true
		return 0, false
	}
	plain = i-start <= 9
	if i < len(b) && b[i] == '.' {
		plain = false
		i = c.digits(i + 1)
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		plain = false
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		i = c.digits(i)
	}
	c.i = i
	if negative {
		value = -value
	}
	return value, plain
}

// digits goes past the digits from i on, of which there must be one.
func (c *cursor) digits(i int) int {
	start := i
	for i < len(c.b) && isDigit(c.b[i]) {
		i++
	}
	if i == start {
		c.bad = true
	}
	return i
}

// integer reads an integer; any other number, and one of more than nine digits, is bad.
func (c *cursor) integer() int {
	value, plain := c.number()
	if !plain {
		c.bad = true
	}
	return value
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

// once notes that a member was seen, which is bad the second time.
func (c *cursor) once(seen *uint, member uint) {
	if *seen&(1<<member) != 0 {
		c.bad = true
	}
	*seen |= 1 << member
}
