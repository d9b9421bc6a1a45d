<?php

declare(strict_types=1);

namespace Torii;

use DateTimeImmutable;

/** A verified webhook. */
final readonly class Webhook
{
    /**
     * @param string $id the same each time a webhook is delivered
     * @param DateTimeImmutable $sentAt when it was sent
     */
    public function __construct(public string $id, public DateTimeImmutable $sentAt)
    {
    }
}
