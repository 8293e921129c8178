with tried as (
    select module, question, cohort, trainee_id, max(points) as points, max(of_points) as of_points, count(*) as submissions
    from course.marks
    where cohort like $1
    group by module, question, cohort, trainee_id
),
counted as (
    select module, question, count(*) as trainees, count(case when points = of_points then 1 end) as solved,
        sum(submissions) as submissions
    from tried
    group by module, question
),
said as (
    select module, question, says, count(*) as times
    from course.marks
    where cohort like $1 and says is not null
    group by module, question, says
),
ranked as (
    select module, question, says, times,
        row_number() over (partition by module, question order by times desc, says) as place
    from said
)
select c.module, c.question, c.trainees, c.solved, round(c.solved / cast(c.trainees as double), 3) as solved_rate,
    c.submissions, r.times, r.says as said_most_often
from counted c
left join ranked r on r.module = c.module and r.question = c.question and r.place = 1
order by solved_rate, c.module, c.question
