# frozen_string_literal: true

bind 'tcp://127.0.0.1:0'
workers 2
threads 1, 1
preload_app!
