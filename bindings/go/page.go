package torii

import "iter"

// Page is a page of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	// NextCursor is the cursor of the next page; "" at the end.
	NextCursor string `json:"nextCursor"`
	HasMore    bool   `json:"hasMore"`
}

// all iterates over the items of every page. It ends after an error.
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
