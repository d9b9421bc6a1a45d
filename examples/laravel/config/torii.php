<?php

return [
    'issuer' => env('TORII_ISSUER'),

    // Arguments of Torii\Requirements.
    'requirements' => [
        'admin' => ['organizations' => [['0190d3c1-6a3e-7f4f-9c1b-8f1d2a3b4c5d', 'admin']]],
    ],
];
