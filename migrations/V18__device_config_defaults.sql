-- Defaults of the heart rate at which watches warn: above 120 or below 50, as the alert rules have it. 100 and 80 is the
-- example of the wire contract, and 60 to 80 is where a resting heart beats. What somebody has set otherwise stays.
-- Locks: the row of the defaults.
update device_config_metric
set warn_high = 120, warn_low = 50
where customer_id = 0 and metric = 'heart_rate' and (warn_high, warn_low) = (100, 80);
