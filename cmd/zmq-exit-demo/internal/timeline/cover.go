package timeline

import "math"

// cover is how much of each column of a row is taken by each phase: the sum over its sockets of the share of the column.
type cover [][phases]float64

// cover computes it for columns of a width, and says where the last bar ends.
func (c Context) cover(r row, a axis, width float64) (cover, float64) {
	columns := make(cover, int(math.Ceil(a.panels[len(a.panels)-1].right/width)))
	end := 0.0
	for _, s := range r.sockets {
		for _, part := range c.spans(s) {
			from, to := a.x(part.from)/width, a.x(part.to)/width
			end = max(end, to*width)
			for i := int(from); float64(i) < to && i < len(columns); i++ {
				columns[i][part.phase] += min(to, float64(i+1)) - max(from, float64(i))
			}
		}
	}
	return columns, end
}
