<?php

declare(strict_types=1);

namespace Torii;

use ArrayIterator;
use Closure;
use Countable;
use Generator;
use IteratorAggregate;
use Torii\Record\Fields;

/**
 * A page of a list, with its items.
 *
 *     foreach ($client->users->list(limit: 100)->all() as $user) { … }
 *
 * @template T of object
 * @implements IteratorAggregate<int, T>
 */
final readonly class Page implements IteratorAggregate, Countable
{
    /** @var list<T> */
    public array $items;

    /** The cursor of the next page; null on the last. */
    public ?string $nextCursor;

    /**
     * @param array<string, mixed> $answer the API's answer
     * @param class-string<T> $record
     * @param Closure(string): self<T> $fetch returns the page of a cursor
     * @internal
     */
    public function __construct(array $answer, string $record, private Closure $fetch)
    {
        $fields = new Fields($answer, 'page');
        $this->items = array_map(static fn (array $item) => $record::from($item), $fields->list('items'));
        $this->nextCursor = $fields->optionalText('nextCursor');
    }

    /**
     * Fetches the next page; null on the last.
     *
     * @return ?self<T>
     */
    public function next(): ?self
    {
        return $this->nextCursor === null ? null : ($this->fetch)($this->nextCursor);
    }

    /** @return Generator<int, self<T>> this page and those after it, each fetched when it is reached */
    public function pages(): Generator
    {
        for ($page = $this; $page !== null; $page = $page->next()) {
            yield $page;
        }
    }

    /** @return Generator<int, T> the items of this page and of those after it */
    public function all(): Generator
    {
        foreach ($this->pages() as $page) {
            foreach ($page->items as $item) {
                yield $item;
            }
        }
    }

    /** @return ArrayIterator<int, T> the items of this page */
    public function getIterator(): ArrayIterator
    {
        return new ArrayIterator($this->items);
    }

    /** Returns the number of items of this page. */
    public function count(): int
    {
        return count($this->items);
    }
}
