-- The consumer that was there goes on from where it was.
update consumer_positions set consumer = 'deliver' where source = 'note' and consumer = '';
update dead_letters set consumer = 'deliver' where source = 'note' and consumer = '';
