package torii

import "iter"

// Page is a part of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	// NextCursor asks for the page after this one; "" at the end.
	NextCursor string `json:"nextCursor"`
	HasMore    bool   `json:"hasMore"`
}

// all runs over the items of every page. After an error there are no more.
func all[T any](cursor string, list func(cursor string) (*Page[T], error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for {
			page, err := list(cursor)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			if cursor = page.NextCursor; cursor == "" {
				return
			}
		}
	}
}
