-- The consumers that were there go on from where they were.
update consumer_positions set consumer = 'count_notes' where source = 'note' and consumer = '';
update consumer_positions set consumer = 'count_follows' where source = 'follow' and consumer = '';
update dead_letters set consumer = 'count_notes' where source = 'note' and consumer = '';
update dead_letters set consumer = 'count_follows' where source = 'follow' and consumer = '';
